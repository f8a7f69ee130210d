"""The code as syntax trees: which classes and functions there are, and what a piece of text can be where it is used."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("khib_tui", "screens")
UNKNOWN = "..."
# What a call shows of its argument is that argument.
_SHOWN_AS_IT_IS = {"N_", "_", "clean", "duration", "size", "str"}
_FIELD = re.compile(r"(?<!\{)\{(\w+)(?:![rsa])?(?::[^{}]*)?\}")
_BUILTINS = set(dir(builtins))

Given = Mapping[str, list[str]]


@dataclass
class Source:
    """All modules; `parents` leads from a node to the one around it."""

    modules: list[ast.Module]
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    constants: dict[str, list[ast.expr]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for module in self.modules:
            for node in ast.walk(module):
                self.parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
                if isinstance(node, ast.ClassDef):
                    self.classes[node.name] = node
            for name, value in _assigned(module.body, deep=False):
                self.constants.setdefault(name, []).append(value)

    @classmethod
    def read(cls, root: Path = ROOT) -> Source:
        """Parse all modules of khib."""
        paths = sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
        return cls([ast.parse(path.read_text()) for path in paths])

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Return what is around a node, from the inside out."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def function(self, node: ast.AST) -> ast.FunctionDef | None:
        """Return the innermost function around a node."""
        return next((item for item in self.around(node) if isinstance(item, ast.FunctionDef)), None)

    def texts(self, node: ast.expr | None, given: Given, seen: frozenset[ast.AST] = frozenset()) -> list[str]:
        """Return all texts that an expression can be; what is known at run time only is `{name}`, or dots.

        :param given: the texts of parameters of functions around it.
        """
        if node is None or node in seen:
            return [""] if node is None else []
        seen |= {node}
        match node:
            case ast.Constant(value=value):
                return ["" if value is None else str(value)]
            case ast.JoinedStr(values=parts):
                return self._joined(parts, given, seen)
            case ast.BinOp(left=left, op=ast.Add(), right=right) if isinstance(left, ast.Constant | ast.JoinedStr):
                return self._joined([left, right], given, seen)
            case ast.BinOp(left=left):
                return self.texts(left, given, seen)
            case ast.FormattedValue(value=value):
                return self.texts(value, given, seen)
            case ast.IfExp(body=body, orelse=orelse):
                return [*self.texts(body, given, seen), *self.texts(orelse, given, seen)]
            case ast.BoolOp(op=ast.Or(), values=values):
                return [text for value in values for text in self.texts(value, given, seen) if text]
            case ast.Subscript(value=ast.Name() as name):
                return self._named(name, given, seen)
            case ast.Attribute(attr=attr):
                return [f"{{{attr}}}"]
            case ast.Call(func=ast.Name(id="ngettext"), args=[_, many, *_]):
                return self.texts(many, given, seen)
            case ast.Call(func=ast.Attribute(value=template, attr="format"), keywords=fields):
                return [
                    text for form in self.texts(template, given, seen) for text in self._formatted(form, fields, given, seen)
                ]
            case ast.Call(func=ast.Name(id=name), args=[shown, *_]) if name in _SHOWN_AS_IT_IS:
                return self.texts(shown, given, seen)
            case ast.Call(func=ast.Name(id=name)) if name not in _BUILTINS:
                return [f"{{{name}}}"]
            case ast.Call(func=ast.Attribute(attr=attr)) if attr != "join":
                return [f"{{{attr}}}"]
            case ast.Dict(values=values):
                return [text for value in values for text in self.texts(value, given, seen)]
            case ast.Name():
                return self._named(node, given, seen)
        return [UNKNOWN]

    def _joined(self, parts: Sequence[ast.expr], given: Given, seen: frozenset[ast.AST]) -> list[str]:
        return ["".join(row) for row in product(*(self.texts(part, given, seen) for part in parts))]

    def _formatted(self, form: str, fields: Sequence[ast.keyword], given: Given, seen: frozenset[ast.AST]) -> Iterator[str]:
        """Return what a text with fields can be; the values of a field stand in the order in which they are given."""
        names = [item.arg or "" for item in fields]
        said = [
            [f"{{{item.arg}}}" if text == UNKNOWN else text for text in self.texts(item.value, given, seen)] for item in fields
        ]
        for row in product(*said):
            yield _filled(form, dict(zip(names, row, strict=True)))

    def _named(self, name: ast.Name, given: Given, seen: frozenset[ast.AST]) -> list[str]:
        found = [text for value in self._values(name) for text in self.texts(value, given, seen)]
        texts = found or given.get(name.id) or []
        return [f"{{{name.id}}}" if text == UNKNOWN else text for text in texts or [UNKNOWN]]

    def _values(self, name: ast.Name) -> list[ast.expr]:
        """Return what a name was set to last, on each way that leads to where it is used."""
        inner: ast.AST = name
        found: list[ast.expr] = []
        for outer in self.around(name):
            if isinstance(outer, ast.Module):
                break
            for block in (getattr(outer, part, None) for part in ("body", "orelse", "finalbody")):
                if not isinstance(block, list) or inner not in block:
                    continue
                for statement in reversed(block[: block.index(inner)]):
                    found += [value for key, value in _assigned([statement]) if key == name.id]
                    if any(key == name.id for key, _ in _assigned([statement], deep=False)):
                        return found
            if isinstance(outer, ast.FunctionDef) and name.id in parameters(outer):
                return found
            inner = outer
        return found or (self.constants.get(name.id, []) if name.id.isupper() or name.id.startswith("_") else [])


def _filled(form: str, values: Mapping[str, str]) -> str:
    """Put texts into the fields of a format."""
    text = _FIELD.sub(lambda found: values.get(found[1], found[0]), form)
    return text.replace("{{", "{").replace("}}", "}")


def _assigned(statements: Sequence[ast.stmt], deep: bool = True) -> Iterator[tuple[str, ast.expr]]:
    """Return names and the values they are set to; the ones inside of compound statements only if `deep`."""
    for statement in statements:
        for node in ast.walk(statement) if deep else [statement]:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                yield node.target.id, node.value
            if isinstance(node, ast.Assign):
                yield from _pairs(node.targets[0], node.value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, its)


def parameters(function: ast.FunctionDef) -> dict[str, ast.expr | None]:
    """Return the names of a function's parameters with their defaults; not `self` or `cls`."""
    places = [*function.args.args, *function.args.kwonlyargs]
    without = [None] * (len(function.args.args) - len(function.args.defaults))
    defaults = [*without, *function.args.defaults, *function.args.kw_defaults]
    found = dict(zip((item.arg for item in places), defaults, strict=True))
    return {name: default for name, default in found.items() if name not in ("self", "cls")}
