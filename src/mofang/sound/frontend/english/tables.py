"""English names of units, money, signs and abbreviations."""

# symbol: (one, many)
UNITS = {symbol: (name, name + "s") for symbol, name in {
    "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "nm": "nanometer", "μm": "micrometer",
    "µm": "micrometer",
    "m": "meter", "mi": "mile", "yd": "yard", "kg": "kilogram", "g": "gram", "mg": "milligram", "μg": "microgram",
    "lb": "pound", "lbs": "pound", "oz": "ounce", "L": "liter", "mL": "milliliter", "ml": "milliliter", "gal": "gallon",
    "min": "minute", "sec": "second", "hr": "hour", "hrs": "hour", "ms": "millisecond", "W": "watt", "kW": "kilowatt",
    "MW": "megawatt", "V": "volt", "kV": "kilovolt", "mA": "milliamp", "J": "joule", "kJ": "kilojoule",
    "cal": "calorie",
    "kcal": "kilocalorie", "Pa": "pascal", "kPa": "kilopascal", "dB": "decibel", "KB": "kilobyte", "kB": "kilobyte",
    "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "PB": "petabyte", "ha": "hectare", "kWh": "kilowatt hour",
    "°": "degree", "px": "pixel", "pt": "point",
}.items()} | {
    "ft": ("foot", "feet"), "km/h": ("kilometer per hour", "kilometers per hour"),
    "kmh": ("kilometer per hour", "kilometers per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"), "mph": ("mile per hour", "miles per hour"),
    "m/s": ("meter per second", "meters per second"), "Hz": ("hertz",) * 2, "kHz": ("kilohertz",) * 2,
    "MHz": ("megahertz",) * 2, "GHz": ("gigahertz",) * 2, "°C": ("degree Celsius", "degrees Celsius"),
    "℃": ("degree Celsius", "degrees Celsius"), "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "℉": ("degree Fahrenheit", "degrees Fahrenheit"), "km²": ("square kilometer", "square kilometers"),
    "m²": ("square meter", "square meters"), "km2": ("square kilometer", "square kilometers"),
    "m2": ("square meter", "square meters"),
    "m³": ("cubic meter", "cubic meters"), "cm³": ("cubic centimeter", "cubic centimeters"),
    "ft²": ("square foot", "square feet"), "sq ft": ("square foot", "square feet"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"), "rpm": ("R P M",) * 2,
    "fps": ("frame per second", "frames per second"),
}

# symbol: (one, many, one hundredth, hundredths)
MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"), "US$": ("U.S. dollar", "U.S. dollars", "cent", "cents"),
    "HK$": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"), "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"), "¥": ("yuan", "yuan", "fen", "fen"),
    "JP¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"), "₩": ("won", "won", "jeon", "jeon"),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"),
    "USD": ("U.S. dollar", "U.S. dollars", "cent", "cents"), "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"), "CNY": ("yuan", "yuan", "fen", "fen"),
    "RMB": ("yuan", "yuan", "fen", "fen"),
    "JPY": ("yen", "yen", "sen", "sen"),
}
BIG = {"k": "thousand", "K": "thousand", "m": "million", "M": "million", "b": "billion", "B": "billion",
    "bn": "billion",
       "tn": "trillion", "T": "trillion", "hundred": "hundred", "thousand": "thousand", "million": "million",
       "billion": "billion", "trillion": "trillion"}

SIGNS = {"+": "plus", "×": "times", "*": "times", "÷": "divided by", "=": "equals", "≈": "is about",
    "≠": "is not equal to",
         "≤": "is at most", "≥": "is at least", "<": "is less than", ">": "is greater than", "±": "plus or minus",
         "√": "the square root of",
         "²": "squared", "³": "cubed", "π": "pi", "∞": "infinity", "%": "percent", "&": "and", "@": "at",
         "°": "degrees",
         "½": "one half", "¼": "one quarter", "¾": "three quarters", "⅓": "one third", "⅔": "two thirds", "№": "number",
         "§": "section", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "λ": "lambda", "μ": "mu", "σ": "sigma",
         "ω": "omega", "θ": "theta", "Δ": "delta", "Ω": "omega", "Σ": "sigma", "™": "", "®": "", "©": "copyright"}

MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December"]

# Before a name.
TITLES = {"Dr": "Doctor", "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Prof": "Professor", "St": "Saint",
    "Mt": "Mount", "Ft": "Fort",
          "Gen": "General", "Gov": "Governor", "Sen": "Senator", "Rep": "Representative", "Capt": "Captain",
          "Lt": "Lieutenant",
          "Col": "Colonel", "Sgt": "Sergeant", "Rev": "Reverend", "Hon": "Honorable", "Pres": "President",
          "Cpl": "Corporal",
          "Maj": "Major", "Adm": "Admiral", "Fr": "Father", "Msgr": "Monsignor"}
# Before a number.
COUNTERS = {"No": "number", "Nos": "numbers", "no": "number", "nos": "numbers", "Fig": "figure", "fig": "figure",
    "Vol": "volume",
            "vol": "volume", "Ch": "chapter", "ch": "chapter", "Sec": "section", "sec": "section", "p": "page",
            "pp": "pages",
            "Eq": "equation", "eq": "equation", "Art": "article", "art": "article", "Ver": "version",
            "ver": "version", "ca": "circa"}
# Anywhere, with their dot.
ABBREVIATIONS = {"Dr": "Drive", "St": "Street", "Jr": "Junior", "Sr": "Senior", "Ave": "Avenue", "Blvd": "Boulevard",
    "Rd": "Road",
                 "Ln": "Lane", "Hwy": "Highway", "Apt": "Apartment", "Bldg": "Building", "Ltd": "Limited",
                 "Inc": "Incorporated",
                 "Corp": "Corporation", "Co": "Company", "Bros": "Brothers", "Dept": "Department", "Univ": "University",
                 "Govt": "Government", "approx": "approximately", "est": "established", "vs": "versus",
                 "etc": "et cetera",
                 "e.g": "for example", "i.e": "that is", "cf": "compare", "et al": "and others", "a.m": "A.M.",
                 "p.m": "P.M.",
                 "A.M": "A.M.", "P.M": "P.M.", "eds": "editors", "min": "minutes", "max": "maximum",
                 "Jan": "January", "Feb": "February", "Mar": "March", "Apr": "April", "Aug": "August",
                 "Sep": "September",
                 "Sept": "September", "Oct": "October", "Nov": "November", "Dec": "December", "Mon": "Monday",
                 "Tue": "Tuesday",
                 "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thurs": "Thursday", "Fri": "Friday",
                 "Sat": "Saturday", "Sun": "Sunday", "Ph.D": "P H D"}
WORDS = {"vs": "versus", "w/o": "without", "w/": "with", "aka": "also known as", "P.S": "P S"}
CHAPTERS = (
    "Chapter|Part|Section|Volume|Book|Act|Scene|Figure|Table|Phase|Type|Stage|Level|Class|Grade|Article|Appendix|"
    "Title|War|Bowl|Apollo|Rocky|Final Fantasy|Mark|Season|Episode|Unit|Lesson|Round|Group|Category"
)
MONARCHS = (
    "Henry|Louis|Elizabeth|Charles|George|Edward|William|Richard|James|Philip|Pope \\w+|Pius|Benedict|John Paul|Paul|"
    "Leo|Napoleon|Catherine|Nicholas|Alexander|Frederick|Ferdinand|Francis|Ivan|Peter|Ramses|Rameses|Ptolemy|Otto|"
    "Wilhelm|Innocent|Urban|Gregory|Clement|Harald|Gustav|Christian|Mehmed|Murad|Selim|Pedro|Alfonso|Carlos|Felipe|Mary"
)
