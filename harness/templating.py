"""The Jinja2 sandbox: which strings are templates, which names they need, and what they give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from harness.errors import SpecError, nearest
from harness.scalars import written

MAX_REPEATED = 10_000_000
MAX_EXPONENT = 1_000

Scope = Mapping[str, Any]


class Renderable(ABC):
    """A value that is no plain data but holds some, e.g. a matcher."""

    @abstractmethod
    def rendered(self, render: Callable[[str, Any], Any]) -> Any:
        """The same with `render` applied to what it holds: the key in YAML, and the value."""

    @abstractmethod
    def parts(self) -> tuple[Any, ...]:
        """What it holds."""


class UnrenderableError(SpecError):
    """A template that is malformed or cannot be rendered.

    Attributes:
        path: the way to it inside what was rendered.
    """

    path: tuple[str | int, ...] = ()

    def below(self, step: str | int) -> UnrenderableError:
        """The same error, one step further from where the rendering began."""
        self.path = (step, *self.path)
        return self


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template.

    Attributes:
        names: the names that it needs from its scope.
        single: it is one expression and nothing else, so its value keeps its type.
    """

    text: str
    names: frozenset[str]
    single: bool
    evaluate: Callable[..., Any]


def is_template(value: object) -> bool:
    """Whether a value is a string that holds a template expression."""
    return isinstance(value, str) and "{{" in value


@lru_cache(maxsize=4096)
def compiled(text: str) -> Template:
    """The template in `text`.

    Raises:
        UnrenderableError: its syntax is wrong.
    """
    environment = _environment()
    try:
        tree = environment.parse(text)
        names = frozenset(find_undeclared_variables(tree))
        if _is_single_expression(tree) and text.startswith("{{") and text.endswith("}}"):
            source = text[2:-2].strip("-+")  # whitespace control means nothing here
            expression = environment.compile_expression(source, undefined_to_none=False)
            return Template(text, names, single=True, evaluate=expression)
        return Template(text, names, single=False, evaluate=environment.from_string(text).render)
    except TemplateSyntaxError as error:
        raise UnrenderableError(
            f"the template {text!r} is not well-formed: {error.message}",
            hint="text with {{ }} is a Jinja2 template; for the braces themselves write {{ '{{' }}",
        ) from error


def names_of(value: Any) -> frozenset[str]:
    """The names that the templates anywhere inside `value` need."""
    return frozenset().union(*(template.names for template in templates_in(value)))


def templates_in(value: Any) -> list[Template]:
    """All templates anywhere inside `value`, in the order of reading."""
    if isinstance(value, str):
        return [compiled(value)] if "{{" in value else []
    found: list[Template] = []
    for part in _parts(value):
        found += templates_in(part)
    return found


def render(value: Any, scope: Scope) -> Any:
    """A copy of `value` in which every template is replaced by what it gives.

    What a template gives is data: it is not searched for templates or matchers again.

    Raises:
        UnrenderableError: a name is undefined, or the expression fails.
    """
    if isinstance(value, str):
        return _evaluated(compiled(value), scope) if "{{" in value else value
    if isinstance(value, dict):
        return {key: _rendered_at(key, item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [_rendered_at(index, item, scope) for index, item in enumerate(value)]
    if isinstance(value, Renderable):
        return value.rendered(lambda key, part: _rendered_at(key, part, scope))
    return value


def in_order(variables: Mapping[str, Any]) -> list[str]:
    """The names of variables so that each comes after those that its templates need.

    Raises:
        UnrenderableError: some need each other in a circle; its path is the first of them.
    """
    needs = {name: names_of(value) & variables.keys() for name, value in variables.items()}
    order: list[str] = []
    while len(order) < len(needs):
        ready = [name for name in needs if name not in order and needs[name] <= {*order}]
        if not ready:
            circle = [name for name in needs if name not in order]
            what = f"the variables {', '.join(circle)} need each other"
            raise UnrenderableError(what).below(circle[0])
        order += ready
    return order


def _rendered_at(step: str | int, value: Any, scope: Scope) -> Any:
    try:
        return render(value, scope)
    except UnrenderableError as error:
        raise error.below(step) from error.__cause__


def _parts(value: Any) -> tuple[Any, ...]:
    if isinstance(value, dict):
        return tuple(value.values())
    if isinstance(value, (list, tuple)):
        return tuple(value)
    if value is None or isinstance(value, (int, Decimal)):
        return ()  # asking an abstract class takes longer than all the rest
    return value.parts() if isinstance(value, Renderable) else ()


def _evaluated(template: Template, scope: Scope) -> Any:
    try:
        value = template.evaluate(**scope)
        if isinstance(value, StrictUndefined):
            str(value)  # raises what is undefined
        return value
    except TemplateError as error:
        known = nearest(next(iter(template.names - scope.keys()), ""), scope)
        hint = f"did you mean {known!r}?" if known else f"in scope: {', '.join(sorted(scope))}"
        reason = str(error.message).replace(
            "'dict object' has no attribute", "the mapping has no key"
        )
        raise UnrenderableError(
            f"the template {template.text!r} fails: {reason}", hint=hint
        ) from error
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise UnrenderableError(f"the template {template.text!r} fails: {error}") from error


def _is_single_expression(tree: nodes.Template) -> bool:
    match tree.body:
        case [nodes.Output(nodes=[nodes.TemplateData()])]:
            return False
        case [nodes.Output(nodes=[_])]:
            return True
    return False


def _text_of(value: Any) -> Any:
    """Text for a value in the middle of other text; null there is nearly always a mistake."""
    if value is None:
        raise ValueError("null cannot stand in the middle of text")
    if isinstance(value, bool):
        return "true" if value else "false"
    return written(value) if isinstance(value, Decimal) else value


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, in which `mapping.name` is the mapping's key before it is a method's name.

    What could fill the memory is bounded, as the sandbox itself bounds `range`.
    """

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        # YAML's decimals are exact, and so are those in templates.
        left, right = (Decimal(str(x)) if isinstance(x, float) else x for x in (left, right))
        sizes = [len(side) for side in (left, right) if isinstance(side, (str, list, tuple))]
        numbers = [side for side in (left, right) if isinstance(side, int)]
        if operator == "**" and numbers and abs(numbers[-1]) > MAX_EXPONENT:
            raise ValueError(f"an exponent above {MAX_EXPONENT} is too large")
        if operator == "*" and sizes and numbers and sizes[0] * numbers[0] > MAX_REPEATED:
            raise ValueError(f"a text of more than {MAX_REPEATED} characters is too long")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@lru_cache(maxsize=1)
def _environment() -> _Environment:
    return _Environment(
        undefined=StrictUndefined, finalize=_text_of, autoescape=False, keep_trailing_newline=True
    )
