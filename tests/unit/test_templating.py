"""What is a template, what it gives, and what it refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from harness.templating import UnrenderableError, names_of, render

SCOPE: dict[str, Any] = {
    "n": 5,
    "text": "5",
    "price": Decimal("1.10"),
    "nothing": None,
    "rows": [{"id": 1}],
    "items": {"items": "key", "0": "zero"},
    "yes": True,
}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ n }}", 5),
        ("{{ text }}", "5"),
        ("{{ price }}", Decimal("1.10")),
        ("{{ nothing }}", None),
        ("{{ yes }}", True),
        ("{{ rows }}", [{"id": 1}]),
        ("{{ rows[0].id + 1 }}", 2),
        ("{{ items.items }}", "key"),
        ("{{n}}", 5),
        ("{{- n -}}", 5),
        ("{{ '}}' }}", "}}"),
        ("{{ {'a': n}['a'] }}", 5),
        (" {{ n }}", " 5"),
        ("{{ n }}{{ n }}", "55"),
        ("is {{ yes }}", "is true"),
        ("{% if yes %}{{ n }}{% endif %}", "5"),
        ("{% raw %}", "{% raw %}"),
        ("{# no template #}", "{# no template #}"),
        ("{ n }", "{ n }"),
    ],
)
def test_render(template: str, value: object) -> None:
    rendered = render(template, SCOPE)
    assert rendered == value
    assert type(rendered) is type(value)


def test_what_a_template_gives_is_not_a_template() -> None:
    assert render("{{ x }}", {"x": "{{ y }}"}) == "{{ y }}"


def test_everything_inside_is_rendered() -> None:
    assert render({"a": ["{{ n }}", {"b": "{{ text }}"}], "{{ n }}": 1}, SCOPE) == {
        "a": [5, {"b": "5"}],
        "{{ n }}": 1,
    }


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ unknown }}", "'unknown' is undefined"),
        ("{{ rows[3].id }}", "has no element 3"),
        ("{{ n.x }}", "no attribute"),
        ("{{ n.__class__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 'x' * 10 ** 10 }}", "too long"),
        ("{{ 9 ** (9 ** 9) }}", "too large"),
        ("x {{ nothing }}", "null cannot stand in the middle of text"),
        ("{{ n", "not well-formed"),
        ("{{ rows.append(1) }}", "unsafe|not"),
        ("{{ n + text }}", "unsupported operand"),
    ],
)
def test_refusals(template: str, message: str) -> None:
    with pytest.raises(UnrenderableError, match=message):
        render(template, SCOPE)


def test_a_name_nearly_right_is_suggested() -> None:
    with pytest.raises(UnrenderableError, match="did you mean 'price'"):
        render("{{ prise }}", SCOPE)


def test_names() -> None:
    assert names_of(["{{ a.b }}", {"x": "{{ c(d) }}"}, "{% set e = 1 %}{{ e }}"]) == {"a", "c", "d"}
