"""GBNF and JSON schemas: what chance writes under them is what they mean, with every kind of vocabulary."""

import contextlib
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms_luck import luck, tokenizers
from mofang.studio import UserError
from mofang.text.forms import gbnf, parse, schema
from mofang.text.forms.automaton import walk

TOKENIZERS = tokenizers()


def accepts(grammar, text):
    end = walk(gbnf.parse(grammar).opened(), text)
    return end is not None and end.accepting


@pytest.mark.parametrize(
    ("grammar", "regular"),
    [
        ('root ::= "a" "b"* "c"+', "ab*c+"),
        ('root ::= [a-c]{2,3} ([xy] | "z")?', "[a-c]{2,3}[xyz]?"),
        ('root ::= x (", " x){1,2}\nx ::= [0-9]+', "[0-9]+(, [0-9]+){1,2}"),
        ('root ::= "中" . [^a\\n] # a remark\n', "中(?s:.)[^a\\n]"),
        ('root ::= ("a" |\n "b")\n', "[ab]"),
        ('root ::= [\\x41-\\x43\\u4e2d] "\\""{0,2}', '[A-C中]"{0,2}'),
        ("root ::= ([ab]? [ab]?)*", "[ab]*"),
    ],
)
@given(text=st.text('abcxyz,0 中A"\n', max_size=7))
@settings(max_examples=60, deadline=None)
def test_a_grammar_without_recursion_is_its_regular_expression(grammar, regular, text):
    assert accepts(grammar, text) == (re.fullmatch(regular, text) is not None)


@given(st.text("()[]", max_size=10))
def test_recursion_counts_brackets(text):
    def balanced(text):
        while (shorter := text.replace("()", "").replace("[]", "")) != text:
            text = shorter
        return not text

    assert accepts('root ::= ("(" root ")" | "[" root "]")*', text) == balanced(text)


@pytest.mark.parametrize(
    "grammar",
    [
        "",
        "root ::= x",
        'root ::= root "a"',
        'root ::= a\na ::= b?\nb ::= a "x"',
        "root ::= [",
        'root ::= "a',
        "root ::= (",
        "root = a",
        'root ::= "a"{3,1}',
        'root ::= "a"{99999}',
        'root ::= "\\q"',
        "root ::= [z-a]",
        'root ::= "a"\nroot ::= "b"',
        "root ::= [^\\x00-\\U0010ffff]",
        "x" * 2_000_000,
        "root ::= " + "(" * 5000,
        'root ::= ("a"{2000}){2000}',
    ],
)
def test_a_wrong_grammar_is_refused_in_one_line(grammar):
    with pytest.raises(UserError) as error:
        gbnf.parse(grammar).opened()
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_an_ambiguous_grammar_is_bounded():
    state = gbnf.parse('root ::= ("a" root "b" | "a" root "c" | "a" root | "a")').opened()
    with pytest.raises(UserError, match="ambiguous"):
        walk(state, "a" * 3000)


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_parser(data):
    with contextlib.suppress(UserError):
        gbnf.parse(data.decode("latin-1")).opened()


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_chance_writes_what_the_grammar_allows(kind):
    tokenizer = TOKENIZERS[kind]
    rule = parse('gbnf:root ::= ("明月" | "春风" | "moon " [0-9]{1,3}) "，" [一-龥]{2,4} "。"', tokenizer)
    for seed in range(8):
        text = luck(rule(), tokenizer, seed)
        assert text and re.fullmatch("(明月|春风|moon [0-9]{1,3})，[一-龥]{2,4}。", text), text


NOTHING = {"type": "array", "items": {"type": "null"}, "maxItems": 0}
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 6},
        "age": {"type": "integer"},
        "mood": {"enum": ["glad", "悲", "a\"b\\c\n"]},
        "height": {"type": ["number", "null"]},
        "friends": {"type": "array", "items": {"$ref": "#/$defs/friend"}, "minItems": 1, "maxItems": 2},
        "alive": {"type": "boolean"},
    },
    "required": ["name", "mood", "friends"],
    "$defs": {"friend": {"anyOf": [{"type": "string", "maxLength": 3}, {"const": 7}, NOTHING]}},
}  # fmt: skip


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_chance_writes_json_that_fits_the_schema(kind, tmp_path):
    tokenizer = TOKENIZERS[kind]
    (tmp_path / "person.json").write_text(json.dumps(PERSON))
    rule = parse(f"json:{tmp_path / 'person.json'}", tokenizer)
    for seed in range(6):
        text = luck(rule(), tokenizer, seed, 2000)
        person = json.loads(text)
        assert list(person) == [name for name in PERSON["properties"] if name in person]
        assert {"name", "mood", "friends"} <= set(person) <= set(PERSON["properties"])
        assert 1 <= len(person["name"]) <= 6 and person["mood"] in PERSON["properties"]["mood"]["enum"]
        assert 1 <= len(person["friends"]) <= 2
        assert all(friend in (7, []) or (isinstance(friend, str) and len(friend) <= 3) for friend in person["friends"])
        assert type(person.get("age", 0)) is int and isinstance(person.get("alive", True), bool)
        assert person.get("height") is None or isinstance(person["height"], int | float)


@pytest.mark.parametrize(
    "bad",
    [
        "json:{",
        "json:[]",
        "json:{}",
        'json:{"type": "ghost"}',
        'json:{"$ref": "http://x"}',
        'json:{"$ref": "#/$defs/a"}',
        'json:{"enum": []}',
        'json:{"type": "array"}',
        'json:{"type": "string", "maxLength": -1}',
        "json:" + '{"items":' * 500 + "1",
    ],
)
def test_a_schema_that_is_not_understood_is_refused(bad):
    with pytest.raises(UserError):
        parse(bad, TOKENIZERS["char"])


def test_a_schema_that_refers_to_itself_nests():
    node = {"type": "object", "properties": {"v": {"type": "null"}, "next": {"$ref": "#/$defs/node"}}, "required": ["v"]}
    tree = {"$defs": {"node": node}, "$ref": "#/$defs/node"}
    assert accepts(schema.grammar(tree), '{"v": null, "next": {"v": null}}')
    assert not accepts(schema.grammar(tree), '{"v": null, "next": {}}')
