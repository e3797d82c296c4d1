"""A walk over the tree that ``json_serialize_sql`` gives for a SELECT."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

__all__ = ["KEY_COLUMNS", "Condition", "Operand", "Reference", "Walk", "is_ordered"]

KEY_COLUMNS: Final = frozenset({"id", "persona_id", "entity_id", "name"})

_READERS: Final = frozenset({
    "generate_series", "glob", "histogram", "histogram_values", "json_each", "json_tree",
    "pragma_table_info", "pragma_version", "range", "repeat", "repeat_row", "summary", "unnest",
    "sniff_csv", "ducklake_current_snapshot", "ducklake_last_committed_snapshot",
    "ducklake_list_files", "ducklake_options", "ducklake_snapshots", "ducklake_table_changes",
    "ducklake_table_deletions", "ducklake_table_info", "ducklake_table_insertions",
})  # fmt: skip
_READER_PREFIXES: Final = ("duckdb_", "parquet_", "read_")
_PURE_READERS: Final = frozenset({
    "generate_series", "json_each", "json_tree", "range", "repeat", "repeat_row", "unnest",
})  # fmt: skip
_WRITERS: Final = frozenset({"nextval", "setseed", "write_log", "set_config"})
_VOLATILE: Final = frozenset({
    "age", "current_connection_id", "current_date", "current_localtime", "current_localtimestamp",
    "current_query", "current_query_id", "current_time", "current_timestamp",
    "current_transaction_id", "currval", "gen_random_uuid", "get_current_time",
    "get_current_timestamp", "localtime", "localtimestamp", "now", "random", "sleep_ms", "today",
    "transaction_timestamp", "txid_current", "uuid", "uuidv4", "uuidv7",
})  # fmt: skip
_CLOCK_WORDS: Final = frozenset({"now", "today", "tomorrow", "yesterday"})
_PLAIN_JOINS: Final = frozenset({"INNER", "LEFT", "RIGHT", "OUTER", "FULL"})
_SAFE_REFS: Final = frozenset({"REGULAR", "CROSS"})

Node = dict[str, Any]
Scope = frozenset[str]
Place = tuple[str, str]
"""Alias and column."""


class Operand(msgspec.Struct, frozen=True):
    """A value a key is compared with: a literal, or a parameter's name."""

    literal: str | None = None
    parameter: str | None = None


class Condition(msgspec.Struct, frozen=True):
    """Only rows whose ``column`` equals one of ``operands`` can matter."""

    column: str
    operands: tuple[Operand, ...]


class Reference(msgspec.Struct, frozen=True):
    """One mention of a table and the conditions that hold for every row taken from it there."""

    table: str
    conditions: tuple[Condition, ...] = ()


class Walk:
    """Collects references and traits of a query; visit the root with an empty scope.

    Attributes:
        references: tables read, CTE names resolved lexically.
        is_volatile: the clock or chance has a part in it.
        is_opaque: something reads what cannot be seen here.
        refused: the first function that may write, or None.
    """

    def __init__(self) -> None:
        self.references: list[Reference] = []
        self.is_volatile = False
        self.is_opaque = False
        self.refused: str | None = None

    def visit(self, node: Any, scope: Scope) -> None:
        """Walk a subtree in which the CTE names ``scope`` are known."""
        if isinstance(node, list):
            for item in node:
                self.visit(item, scope)
        elif isinstance(node, dict):
            self._visit_node(node, scope)

    def _visit_node(self, node: Node, scope: Scope) -> None:
        scope = self._with_ctes(node, scope)
        kind = node.get("type")
        if kind == "RECURSIVE_CTE_NODE":
            scope = scope | {str(node.get("cte_name", "")).lower()}
        elif kind == "BASE_TABLE":
            self._add(node, scope, ())
        elif kind == "SELECT_NODE":
            self._visit_select(node, scope)
            return
        elif kind == "SHOW_REF" and "query" not in node:
            self.is_opaque = True
        elif kind == "TABLE_FUNCTION":
            self._check_table_function(node)
        elif isinstance(kind, str):
            self._check_expression(node, kind)
        self._visit_children(node, scope)

    def _visit_children(self, node: Node, scope: Scope, but: tuple[str, ...] = ()) -> None:
        if "sample" in node:
            self.is_volatile = True
        for key, value in node.items():
            if key != "cte_map" and key not in but and isinstance(value, (dict, list)):
                self.visit(value, scope)

    def _with_ctes(self, node: Node, scope: Scope) -> Scope:
        ctes = node.get("cte_map")
        for entry in ctes.get("map", ()) if isinstance(ctes, dict) else ():
            self.visit(entry["value"], scope)
            scope = scope | {str(entry["key"]).lower()}
        return scope

    def _visit_select(self, node: Node, scope: Scope) -> None:
        source = node.get("from_table")
        tables = _leaves(source) if isinstance(source, dict) else None
        if tables is None:
            self._visit_children(node, scope)
            return
        bound = _bindings(node, tables)
        for table in tables:
            self._add(table, scope, bound.get(_alias(table), ()))
            self._visit_children(table, scope)
        assert isinstance(source, dict)
        for join in _joins(source):
            self.visit(join.get("condition"), scope)
        self._visit_children(node, scope, but=("from_table",))
        if "sample" in node:
            self.is_volatile = True

    def _add(self, node: Node, scope: Scope, conditions: tuple[Condition, ...]) -> None:
        name = str(node.get("table_name", "")).lower()
        schema = str(node.get("schema_name", "")).lower()
        catalog = str(node.get("catalog_name", "")).lower()
        if not schema and not catalog and name in scope:
            return
        plain = catalog in {"", "memory"} and schema in {"", "main", "state"}
        full = name if plain else ".".join(p for p in (catalog, schema, name) if p)
        self.references.append(Reference(full, conditions))

    def _check_table_function(self, node: Node) -> None:
        name = str(node.get("function", {}).get("function_name", "")).lower()
        if name not in _PURE_READERS:
            self.is_opaque = True
        is_known = name in _READERS or name.startswith(_READER_PREFIXES)
        if not is_known and self.refused is None:
            self.refused = f"{name}()"

    def _check_expression(self, node: Node, kind: str) -> None:
        if kind == "FUNCTION":
            name = str(node.get("function_name", "")).lower()
            if name in _WRITERS and self.refused is None:
                self.refused = f"{name}()"
            self.is_volatile = self.is_volatile or name in _VOLATILE
        elif kind == "COLUMN_REF":
            names = node.get("column_names", ())
            self.is_volatile = self.is_volatile or (
                len(names) == 1 and str(names[0]).lower() in _VOLATILE
            )
        elif kind == "VALUE_CONSTANT":
            text = _literal(node)
            self.is_volatile = self.is_volatile or (
                text is not None and text.strip().lower() in _CLOCK_WORDS
            )


def is_ordered(node: Node) -> bool:
    """Whether the order of the outermost rows was asked for."""
    kinds = {m.get("type") for m in node.get("modifiers", ())}
    if "ORDER_MODIFIER" in kinds:
        return True
    source = node.get("from_table")
    if not isinstance(source, dict) or source.get("type") != "SUBQUERY":
        return False
    if "group_expressions" in node or "DISTINCT_MODIFIER" in kinds:
        return False
    return is_ordered(source["subquery"]["node"])


# ---------------------------------------------------------------- bound keys


def _leaves(source: Node) -> list[Node] | None:
    """The tables of a FROM made of plain tables and plain joins; None when it is anything else."""
    if source.get("type") == "BASE_TABLE":
        return [source]
    if source.get("type") != "JOIN":
        return None
    if source.get("join_type") not in _PLAIN_JOINS or source.get("ref_type") not in _SAFE_REFS:
        return None
    left, right = _leaves(source["left"]), _leaves(source["right"])
    return None if left is None or right is None else [*left, *right]


def _joins(source: Node) -> Iterator[Node]:
    if source.get("type") == "JOIN":
        yield source
        yield from _joins(source["left"])
        yield from _joins(source["right"])


def _alias(table: Node) -> str:
    return str(table.get("alias") or table.get("table_name", "")).lower()


def _bindings(select: Node, tables: list[Node]) -> dict[str, tuple[Condition, ...]]:
    """Alias -> conditions that every row of it must meet to have a part in the result."""
    aliases = [_alias(t) for t in tables]
    if len(set(aliases)) < len(aliases) or any("column_name_alias" in t for t in tables):
        return {}
    joins = list(_joins(select["from_table"]))
    terms = list(_conjuncts(select.get("where_clause")))
    is_inner = all(j.get("join_type") == "INNER" for j in joins)
    if is_inner:
        terms += [t for j in joins for t in _conjuncts(j.get("condition"))]
    lone = aliases[0] if len(aliases) == 1 else None
    names = _Names(lone, frozenset(aliases), _renamed(select))
    given: dict[Place, tuple[Operand, ...]] = {}
    equal: list[tuple[Place, Place]] = []
    for term in terms:
        _read_term(term, names, given, equal)
    if is_inner:
        _spread(given, equal)
    out: dict[str, tuple[Condition, ...]] = {}
    for (alias, column), operands in given.items():
        if column in KEY_COLUMNS:
            out[alias] = (*out.get(alias, ()), Condition(column, operands))
    return out


class _Names(msgspec.Struct, frozen=True):
    lone: str | None
    aliases: frozenset[str]
    renamed: frozenset[str]

    def place(self, node: Node) -> Place | None:
        """The table and column a column reference surely means."""
        if node.get("type") != "COLUMN_REF":
            return None
        names = [str(n).lower() for n in node.get("column_names", ())]
        if len(names) == 1 and self.lone is not None and names[0] not in self.renamed:
            return self.lone, names[0]
        if len(names) == 2 and names[0] in self.aliases:
            return names[0], names[1]
        return None


def _renamed(select: Node) -> frozenset[str]:
    """Names the SELECT list gives to something else; WHERE may mean those."""
    return frozenset(
        str(item["alias"]).lower() for item in select.get("select_list", ()) if item.get("alias")
    )


def _conjuncts(node: Any) -> Iterator[Node]:
    if not isinstance(node, dict):
        return
    if node.get("type") == "CONJUNCTION_AND":
        for child in node.get("children", ()):
            yield from _conjuncts(child)
    else:
        yield node


def _read_term(
    term: Node,
    names: _Names,
    given: dict[Place, tuple[Operand, ...]],
    equal: list[tuple[Place, Place]],
) -> None:
    if term.get("type") == "COMPARE_EQUAL":
        sides = (term["left"], term["right"])
        places = [names.place(s) for s in sides]
        if places[0] and places[1]:
            equal.append((places[0], places[1]))
        for place, other in ((places[0], sides[1]), (places[1], sides[0])):
            operand = _operand(other)
            if place and operand:
                given.setdefault(place, (operand,))
    elif term.get("type") == "COMPARE_IN":
        head, *rest = term.get("children", ())
        place, operands = names.place(head), [_operand(r) for r in rest]
        if place and operands and all(operands):
            given.setdefault(place, tuple(o for o in operands if o))


def _spread(given: dict[Place, tuple[Operand, ...]], equal: Iterable[tuple[Place, Place]]) -> None:
    """Carry what is known of a column over to the columns it equals."""
    pairs = [*equal, *((b, a) for a, b in equal)]
    is_growing = True
    while is_growing:
        is_growing = False
        for a, b in pairs:
            if a in given and b not in given:
                given[b] = given[a]
                is_growing = True


def _operand(node: Node) -> Operand | None:
    if node.get("type") == "OPERATOR_CAST" and node.get("cast_type", {}).get("id") == "UUID":
        node = node["child"]
    if node.get("type") == "VALUE_PARAMETER":
        return Operand(parameter=str(node["identifier"]))
    text = _literal(node)
    return None if text is None else Operand(literal=text)


def _literal(node: Node) -> str | None:
    if node.get("type") != "VALUE_CONSTANT":
        return None
    value = node.get("value", {})
    if value.get("type", {}).get("id") != "VARCHAR" or value.get("is_null"):
        return None
    return str(value.get("value", ""))
