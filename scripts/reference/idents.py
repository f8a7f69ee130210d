"""Every identifier of errors and findings, with its causes and next steps, as the code has them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from khib_tui.errors import Exit
from reference.document import table
from reference.source import Given, Source, parameters

IDENT = re.compile(r"HIB-[EW]-[A-Z0-9-]+")
CAUSE, STEP = ("message", "what", "text"), ("hint", "fix")


@dataclass(frozen=True, order=True)
class Row:
    """One way to get an identifier; `kind` is `blocker`, `warning`, or the name of an exit code."""

    ident: str
    cause: str
    step: str
    kind: str


@dataclass(frozen=True)
class Site:
    """A place where an error or finding is made: the expressions for what it says."""

    kind: str
    values: dict[str, ast.expr | None]

    def first(self, names: Iterable[str]) -> ast.expr | None:
        """Return the first of some values that the kind of object has."""
        return next((self.values[name] for name in names if name in self.values), None)


def rows(source: Source) -> list[Row]:
    """Return all identifiers of the code with what is said with them, sorted."""
    found: set[Row] = set()
    for module in source.modules:
        for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
            if site := _site(source, call):
                for given in _givens(source, module, call, site):
                    found |= set(_rows(source, site, given))
    return sorted(found)


def listing(source: Source) -> str:
    """Return the document's tables: a section for each kind."""
    found = rows(source)
    titles = {"blocker": "Blockers: a check forbids it, exit code 4", "warning": "Warnings: a check lets it go on"}
    titles |= {code.name: f"Exit code {int(code)}: {code.name.lower().replace('_', ' ')}" for code in Exit}
    sections = []
    for kind, title in titles.items():
        if these := [row for row in found if row.kind == kind]:
            lines = [(f"`{ident}`", cause, step) for ident, cause, step in _merged(these)]
            sections.append(f"## {title}\n\n{table(('identifier', 'cause', 'next step'), lines)}")
    return "\n\n".join(sections)


def _merged(found: Iterable[Row]) -> Iterator[tuple[str, str, str]]:
    """Join what differs in the cause or in the next step alone."""
    by_step: dict[tuple[str, str], list[str]] = {}
    for row in found:
        by_step.setdefault((row.ident, row.step), []).append(row.cause)
    by_cause: dict[tuple[str, str], list[str]] = {}
    for (ident, step), causes in by_step.items():
        by_cause.setdefault((ident, " / ".join(causes)), []).append(step)
    for (ident, cause), steps in by_cause.items():
        yield ident, cause, " / ".join(step for step in steps if step)


def _site(source: Source, call: ast.Call) -> Site | None:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name == "cls":
        name = next((item.name for item in source.around(call) if isinstance(item, ast.ClassDef)), "")
    fields = _fields(source, name)
    return Site(_kind(source, name), _bound(call, fields)) if "ident" in fields else None


def _fields(source: Source, name: str) -> dict[str, ast.expr | None]:
    """Return what a class is made from, with defaults."""
    found: dict[str, ast.expr | None] = {}
    for definition in reversed(_line(source, name)):
        for item in definition.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                found[item.target.id] = item.value
            elif isinstance(item, ast.FunctionDef) and item.name == "__init__":
                found = parameters(item)
    return found


def _line(source: Source, name: str) -> list[ast.ClassDef]:
    """Return a class and its ancestors."""
    line = []
    while definition := source.classes.get(name):
        line.append(definition)
        name = next((base.id for base in definition.bases if isinstance(base, ast.Name)), "")
    return line


def _kind(source: Source, name: str) -> str:
    for definition in _line(source, name):
        for item in definition.body:
            if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == "exit_code":
                return ast.unparse(item.value).rpartition(".")[2]
    return {"Report": Exit.CHANGED.name, "Finding": ""}.get(name, Exit.ERROR.name)


def _bound(call: ast.Call, fields: dict[str, ast.expr | None]) -> dict[str, ast.expr | None]:
    given = {item.arg: item.value for item in call.keywords if item.arg}
    return fields | dict(zip(fields, call.args, strict=False)) | given


def _givens(source: Source, module: ast.Module, call: ast.Call, site: Site) -> Iterator[Given]:
    """Return the parameters of the function around a site as its callers give them, if it only hands on what they say."""
    function = source.function(call)
    known = parameters(function) if function else {}
    said = [site.first(["ident"]), site.first(CAUSE), site.first(STEP)]
    handed = {node.id for value in said if value for node in _plain(value)} & set(known)
    callers = list(_callers(source, module, function)) if function and handed else []
    for caller in callers:
        yield {name: source.texts(value, {}) for name, value in _bound(caller, known).items() if value}
    if not callers:
        yield {}


def _plain(value: ast.expr) -> Iterator[ast.Name]:
    """Return the names that are the expression, or, of an identifier, a part of it."""
    if isinstance(value, ast.Name):
        yield value
    if isinstance(value, ast.JoinedStr) and IDENT.match(ast.unparse(value).lstrip("f'\"")):
        yield from (node for node in ast.walk(value) if isinstance(node, ast.Name))


def _callers(source: Source, module: ast.Module, function: ast.FunctionDef) -> Iterator[ast.Call]:
    for place in [module] if function.name.startswith("_") else source.modules:
        for node in ast.walk(place):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (function.name, f"self.{function.name}"):
                yield node


def _rows(source: Source, site: Site, given: Given) -> Iterator[Row]:
    idents = [text for text in source.texts(site.first(["ident"]), given) if IDENT.match(text)]
    causes, steps = (source.texts(site.first(names), given) for names in (CAUSE, STEP))
    kinds = [site.kind] if site.kind else [_severity(text) for text in source.texts(site.first(["severity"]), given)]
    for kind in kinds:
        for ident in idents if kind != "ok" else []:
            yield Row(ident, " / ".join(dict.fromkeys(causes)), " / ".join(dict.fromkeys(steps)), kind)


def _severity(text: str) -> str:
    return text.strip("{}").lower()
