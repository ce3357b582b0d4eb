"""The symbols Kokoro and hibari were trained on, and what the marks of punctuation become among them."""

# The vocabulary of hexgrad/Kokoro-82M (Apache-2.0), config.json; hibari uses a subset of it.
SYMBOLS = frozenset(
    ';:,.!?—…"()“” \u0303ʣʥʦʨᵝꭧAIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐ'
    'ɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔˈˌːʰʲ↓→↗↘ᵻ'
)

# What is heard as a pause or a turn of the voice. Marks that attach to the next word stand in OPENING.
PUNCTUATION = {
    "，": ",", "、": ",", ",": ",", "。": ".", ".": ".", "．": ".", "｡": ".", "！": "!", "!": "!", "？": "?", "?": "?",
    "；": ";", ";": ";", "：": ":", ":": ":", "…": "…", "⋯": "…", "—": "—", "―": "—", "–": "—",
    "（": "(", "(": "(", "）": ")", ")": ")", "《": "“", "》": "”", "〈": "“", "〉": "”", "「": "“", "」": "”",
    "『": "“", "』": "”", "“": "“", "”": "”", "【": "“", "】": "”", "〖": "“", "〗": "”", "«": "“", "»": "”",
    "؟": "?", "،": ",", "؛": ";", "۔": ".", "।": ".", "‽": "?",
}
OPENING = frozenset("（(《〈「『“‘【〖«[{<［｛¿¡")
