"""JSON Schema to GBNF: the part of it that says shapes (https://json-schema.org/draft/2020-12), with white space fixed.

Understood: type (one or several), properties with required and order, items, minItems, maxItems, enum, const, anyOf and
oneOf (as alternatives), minLength, maxLength, $ref into $defs. Properties not listed are not written.
"""

import json
from collections.abc import Mapping
from typing import Any

from mofang.studio.errors import UserError

LONGEST_STRING, MOST_ITEMS = 200, 50
"""What strings and arrays get where the schema says nothing: a small model must be kept from going on for ever."""

_RULES = r"""
char ::= [^"\\\x00-\x1f\x7f] | "\\" (["\\bfnrt/] | "u" hex hex hex hex)
hex ::= [0-9a-fA-F]
integer ::= "-"? ("0" | [1-9] [0-9]{0,15})
number ::= integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,3})?
boolean ::= "true" | "false"
null ::= "null"
"""


def grammar(schema: Mapping[str, Any] | bool) -> str:
    """The grammar of the JSON texts that fit `schema`. Raises `UserError` for what is not understood."""
    writer = _Writer({} if isinstance(schema, bool) else schema)
    root = writer.rule(schema, 0)
    return "\n".join([f"root ::= {root}", *writer.rules.values()]) + _RULES


class _Writer:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._refs: dict[str, str] = {}
        self.rules: dict[str, str] = {}

    def rule(self, schema: Any, deep: int) -> str:
        """The grammar's words for one schema, in parentheses where it has alternatives."""
        if deep > 60:
            raise UserError("the schema is nested too deeply; name its parts in $defs")
        if schema is True or schema == {}:
            raise UserError("the schema says nothing of some value; give it a type")
        if not isinstance(schema, Mapping):
            raise UserError(f"'{str(schema)[:40]}' is no schema; it is an object with a type")
        if "$ref" in schema:
            return self._ref(schema["$ref"], deep)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._either([self.rule(each, deep + 1) for each in _listed(schema[key], key)])
        if "const" in schema:
            return _literal(schema["const"])
        if "enum" in schema:
            return self._either([_literal(value) for value in _listed(schema["enum"], "enum")])
        kind = schema.get("type", "object" if "properties" in schema else None)
        if isinstance(kind, list):
            return self._either([self.rule({**schema, "type": each}, deep + 1) for each in kind])
        if kind in ("integer", "number", "boolean", "null"):
            return str(kind)
        if kind == "string":
            least, most = _count(schema, "minLength", 0), _count(schema, "maxLength", LONGEST_STRING)
            return rf'"\"" char{{{least},{max(least, most)}}} "\""'
        if kind == "array":
            return self._array(schema, deep)
        if kind == "object":
            return self._object(schema, deep)
        raise UserError(f"the schema asks for the type {str(kind)[:40]!r}, which JSON does not have")

    def _either(self, options: list[str]) -> str:
        return "(" + " | ".join(options) + ")"

    def _array(self, schema: Mapping[str, Any], deep: int) -> str:
        if "items" not in schema:
            raise UserError("the schema says nothing of an array's items; give them a type")
        item = self.rule(schema["items"], deep + 1)
        least, most = _count(schema, "minItems", 0), _count(schema, "maxItems", MOST_ITEMS)
        if most == 0:
            return '"[]"'
        body = f'"[" {item} (", " {item}){{{max(least - 1, 0)},{max(most, least) - 1}}} "]"'
        return body if least else f'("[]" | {body})'

    def _object(self, schema: Mapping[str, Any], deep: int) -> str:
        properties = schema.get("properties", {})
        if not isinstance(properties, Mapping):
            raise UserError("the schema's properties must be an object of schemas")
        required = set(schema.get("required", properties))
        pairs = [(_literal(name) + ' ": " ' + self.rule(value, deep + 1), name in required) for name, value in properties.items()]
        if not pairs:
            return '"{}"'
        return '"{" ' + self._pairs(pairs, first=True) + ' "}"'

    def _pairs(self, pairs: list[tuple[str, bool]], first: bool) -> str:
        """Pairs in their order, optional ones there or not; a comma before every one but the first that stands."""
        if not pairs:
            return '""'
        (text, needed), rest = pairs[0], pairs[1:]
        taken = ("" if first else '", " ') + text + (" " + self._pairs(rest, False) if rest else "")
        return taken if needed else f"({taken} | {self._pairs(rest, first)})"

    def _ref(self, target: Any, deep: int) -> str:
        if not isinstance(target, str) or not target.startswith("#/"):
            raise UserError(f"the schema refers to {str(target)[:60]!r}; only its own parts (#/$defs/…) can be read")
        if target in self._refs:
            return self._refs[target]
        place: Any = self._root
        for name in target[2:].split("/"):
            name = name.replace("~1", "/").replace("~0", "~")
            if not isinstance(place, Mapping) or name not in place:
                raise UserError(f"the schema refers to {target[:60]!r}, which it does not have")
            place = place[name]
        self._refs[target] = f"ref{len(self._refs)}"
        name = self._refs[target]
        self.rules[name] = f"{name} ::= {self.rule(place, deep + 1)}"
        return name


def _listed(value: Any, key: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise UserError(f"the schema's {key} must be a list with something in it")
    return value


def _count(schema: Mapping[str, Any], key: str, otherwise: int) -> int:
    value = schema.get(key, otherwise)
    if type(value) is not int or not 0 <= value <= 2_000:
        raise UserError(f"the schema's {key} must be a number from 0 to 2000")
    return int(value)


def _literal(value: Any) -> str:
    """A JSON value as a string of the grammar."""
    written = json.dumps(value, ensure_ascii=False)
    escaped = written.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if letter >= " " else f"\\x{ord(letter):02x}" for letter in escaped) + '"'
