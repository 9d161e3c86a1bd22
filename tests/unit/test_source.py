"""Text into plain data: every rule on files, and the words of every error."""

from __future__ import annotations

import copy
import math
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import source
from harness.errors import Location, SpecError
from harness.source import YamlMapping, YamlSequence, locate, merged, parse, read

FILE = Path("issues.yaml")


def at(line: int, column: int, path: Path = FILE) -> Location:
    return Location(path, line, column)


def failure(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse(text, FILE)
    assert len(caught.value.problems) == 1
    return str(caught.value)


def mapping(text: str, path: Path = FILE) -> YamlMapping:
    data = parse(text, path)
    assert isinstance(data, YamlMapping)
    return data


def sequence(text: str) -> YamlSequence:
    data = parse(text, FILE)
    assert isinstance(data, YamlSequence)
    return data


class TestScalars:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            *((text, None) for text in ("", "~", "null", "Null", "NULL")),
            *((text, True) for text in ("true", "True", "TRUE")),
            *((text, False) for text in ("false", "False", "FALSE")),
            *(("0", 0), ("12", 12), ("-12", -12), ("+12", 12), ("0777", 777), ("-007", -7)),
            *(("0o17", 15), ("0xfF", 255), ("9" * 1000, int("9" * 1000))),
            *((text, Decimal(text)) for text in ("1.10", "-0.5", ".5", "-.5", "+1.5", "1.")),
            *((text, Decimal(text)) for text in ("1e3", "1E-3", "1.5e+2", "1e131072")),
            *((text, math.inf) for text in (".inf", "+.Inf", ".INF")),
            ("-.inf", -math.inf),
        ],
    )
    def test_core_schema_values(self, text: str, value: object) -> None:
        result = mapping(f"key: {text}")["key"]
        assert result == value
        assert type(result) is type(value)

    @pytest.mark.parametrize(
        "text",
        [
            *("no", "yes", "on", "off", "y", "n", "NO", "Off", "nULL", "TrUE", "nullx", "~~"),
            *("1:30", "2026-01-01", "2026-01-01T10:00:00Z", "1.2.3", "1_000", "0b1", "0o8", "0xg"),
            *("-0o7", "+0x1", "1e", "1e+", "e1", ".e1", ".", "+", "-.", "٣", "½", "=", "<<"),
            *(".inF", "..inf", ".NAn", "+.nan", "-.nan"),
        ],
    )
    def test_everything_else_is_text(self, text: str) -> None:
        assert sequence(f"- {text} # comment") == [text]

    @pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
    def test_not_a_number(self, text: str) -> None:
        assert math.isnan(parse(text, FILE))

    def test_a_decimal_keeps_the_digits_of_the_source(self) -> None:
        assert [str(item) for item in sequence("[1.10, 1.0, 0.100]")] == ["1.10", "1.0", "0.100"]

    @pytest.mark.parametrize("text", ["'1'", '"1"', "|-\n 1", ">-\n 1", "!!str 1"])
    def test_quoted_block_and_str_tagged_scalars_are_text(self, text: str) -> None:
        assert parse(text, FILE) == "1"

    @pytest.mark.parametrize("text", ["''", '""', "!!str"])
    def test_an_empty_text_is_not_null(self, text: str) -> None:
        assert parse(text, FILE) == ""

    def test_a_long_text_is_fine(self) -> None:
        assert parse("x" * 1_000_000, FILE) == "x" * 1_000_000

    @pytest.mark.parametrize(
        ("number", "problem"),
        [
            ("9" * 5_000, "a number of 5,000 characters is too long"),
            ("0x" + "f" * 5_000, "a number of 5,002 characters is too long"),
            ("1e131073", "the exponent of 1e131073 is out of range"),
            ("1e-131073", "the exponent of 1e-131073 is out of range"),
            ("1e" + "9" * 30, f"the exponent of 1e{'9' * 30} is out of range"),
        ],
    )
    def test_a_number_beyond_all_use_is_an_error(self, number: str, problem: str) -> None:
        hint = "hint: put quotes around it if it is a text"
        assert failure(f"a: {number}") == f"issues.yaml:1:4: {problem}\n  {hint}"


class TestTags:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("!!str true", "true"),
            ("!!int '5'", 5),
            ("!!float 1", Decimal(1)),
            ("!!float 1.50", Decimal("1.50")),
            ("!!bool 'true'", True),
            ("!!null ''", None),
            ("!!seq [1]", [1]),
            ("!!map {a: 1}", {"a": 1}),
            ("!<tag:yaml.org,2002:str> 1", "1"),
        ],
    )
    def test_the_core_schema_s_tags_are_honoured(self, text: str, value: object) -> None:
        result = parse(text, FILE)
        assert result == value
        assert isinstance(result, type(value))

    @pytest.mark.parametrize(
        ("text", "tag"),
        [
            ("!!python/object/apply:os.system [ls]", "!!python/object/apply:os.system"),
            ("!!python/name:os.system", "!!python/name:os.system"),
            ("!!binary aGk=", "!!binary"),
            ("!!set {a}", "!!set"),
            ("!!omap [a: 1]", "!!omap"),
            ("!!timestamp 2026-01-01", "!!timestamp"),
            ("!custom 1", "!custom"),
            ("!custom {a: 1}", "!custom"),
            ("!custom [a]", "!custom"),
            ("! 1", "!"),
            ("!<int> 1", "int"),
            ("!int 1", "!int"),
            ("!!map [a]", "!!map"),
            ("!!seq {a: 1}", "!!seq"),
            ("!!map a", "!!map"),
        ],
    )
    def test_every_other_tag_is_an_error(self, text: str, tag: str) -> None:
        assert failure(f"a: {text}") == (
            f"issues.yaml:1:4: the tag {tag} has no meaning here\n  hint: remove the tag: specs are"
            " plain data; put quotes around a text that begins with '!'"
        )

    def test_a_tag_on_a_key_is_judged_alike(self) -> None:
        assert mapping("!!str 1: a") == {"1": "a"}
        assert failure("!foo a: 1").startswith("issues.yaml:1:1: the tag !foo has no meaning")

    @pytest.mark.parametrize("text", ["!!int x", "!!int 1.5", "!!bool 1", "!!null 0", "!!float x"])
    def test_a_value_that_is_not_of_its_tag(self, text: str) -> None:
        tag, value = text.split()
        assert failure(f"- {text}") == (
            f"issues.yaml:1:3: {value} is no {tag}\n  hint: remove the tag, or correct the value"
        )


class TestKeys:
    @pytest.mark.parametrize(
        ("key", "kind"),
        [
            ("1", "a number"),
            ("1.5", "a number"),
            (".inf", "a number"),
            ("true", "a boolean"),
            ("null", "null"),
            ("~", "null"),
        ],
    )
    def test_a_key_that_is_not_text(self, key: str, kind: str) -> None:
        assert failure(f"a:\n  {key}: x") == (
            f"issues.yaml:2:3: the key {key} is {kind}, not text\n"
            f'  hint: put quotes around it: "{key}"'
        )

    def test_quoted_they_are_keys(self) -> None:
        assert mapping("'1': a\n\"true\": b\n'': c") == {"1": "a", "true": "b", "": "c"}

    def test_a_quoted_key_does_not_make_the_plain_one_text(self) -> None:
        assert failure("- {'1': a}\n- {1: a}").startswith("issues.yaml:2:4: the key 1 is a number")

    def test_keys_of_yaml_1_1_are_text(self) -> None:
        assert mapping("on: 1\nno: 2\n2026-01-01: 3") == {"on": 1, "no": 2, "2026-01-01": 3}

    def test_a_missing_key(self) -> None:
        assert failure("?\n: a") == (
            "issues.yaml:1:2: there is no key before the colon\n  hint: write the key"
        )

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("{a: 1}: b", "1:1: a mapping cannot be a key"),
            ("? [a]\n: b", "1:3: a list cannot be a key"),
            ("a: &x [1]\n*x : b", "2:1: the alias *x is a key and stands for no text"),
        ],
    )
    def test_a_collection_as_a_key(self, text: str, problem: str) -> None:
        assert failure(text) == f"issues.yaml:{problem}\n  hint: keys are text"

    def test_an_alias_of_a_text_may_be_a_key(self) -> None:
        assert mapping("a: &x name\n*x : 1\n&y b: *y") == {"a": "name", "name": 1, "b": "b"}

    def test_duplicate_keys_name_both_lines(self) -> None:
        assert failure("a:\n  b: 1\n  c: 2\n  'b': 3") == (
            "issues.yaml:4:3: duplicate key 'b': in line 2 and again in line 4\n"
            "  hint: keep one of the two"
        )


class TestTemplates:
    @pytest.mark.parametrize(
        ("text", "place", "quoted"),
        [
            ("key: {{ x }}", "1:6", '"{{ x }}"'),
            ("key: {{x}}", "1:6", '"{{x}}"'),
            ("key: {{ a }} text # why", "1:6", '"{{ a }} text"'),
            ("key: {{ a }}-{{ b }}", "1:6", '"{{ a }}-{{ b }}"'),
            ("a:\n- {{ x.y }}", "2:3", '"{{ x.y }}"'),
            ("a: [{{ x }}, 1]", "1:5", '"{{ x }}"'),
            ("a: {b: {{ x }}}", "1:8", '"{{ x }}"'),
            ("{{ x }}: 1", "1:1", '"{{ x }}"'),
            ("{{ x }}", "1:1", '"{{ x }}"'),
            ("a: {{ x | default('b') }}", "1:4", "\"{{ x | default('b') }}\""),
            ('a: {{ x | default("b") }}', "1:4", "'{{ x | default(\"b\") }}'"),
            ("""a: {{ "b" ~ 'c' }}""", "1:4", """'{{ "b" ~ ''c'' }}'"""),
            ("a: {{\n x }}", "1:4", '"{{ ... }}"'),
        ],
    )
    def test_a_template_without_quotes(self, text: str, place: str, quoted: str) -> None:
        assert failure(text) == (
            f"issues.yaml:{place}: a template without quotes is read as a mapping\n"
            f"  hint: put quotes around a template: {quoted}"
        )

    @pytest.mark.parametrize(
        ("text", "place", "quoted"),
        [
            ("- {{ @x }}", "1:6", '"{{ @x }}"'),
            ("a: [text {{ x }}]", "1:10", '"{{ x }}"'),
            ("a: {b: text {{ x }}}", "1:13", '"{{ x }}"'),
            ("a: {{ `x` }} text", "1:7", '"{{ `x` }} text"'),
        ],
    )
    def test_one_that_the_parser_stumbles_over(self, text: str, place: str, quoted: str) -> None:
        message = failure(text)
        assert message.startswith(f"issues.yaml:{place}: not valid YAML: ")
        assert message.endswith(f"\n  hint: put quotes around a template: {quoted}")

    def test_a_quoted_template_is_not_blamed_for_another_error(self) -> None:
        assert "template" not in failure('a: "b: {{ x }}" c')

    def test_a_template_inside_a_plain_text_is_text(self) -> None:
        assert mapping("a: is {{ x }}\nb: |\n  {{ y }}") == {"a": "is {{ x }}", "b": "{{ y }}"}


class TestMergeKeys:
    def test_explicit_keys_win_wherever_they_stand(self) -> None:
        data = mapping("base: &b {x: 1, y: 2}\none: {x: 3, <<: *b}\ntwo: {<<: *b, y: 4, z: 5}")
        assert data["one"] == {"x": 3, "y": 2}
        assert data["two"] == {"x": 1, "y": 4, "z": 5}

    def test_the_earlier_mapping_of_a_list_wins(self) -> None:
        data = mapping("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], w: 0}")
        assert data["c"] == {"x": 1, "y": 1, "z": 2, "w": 0}

    def test_merged_keys_keep_their_places(self) -> None:
        data = mapping("base: &b\n  x: 1\nuse:\n  <<: *b\n  y: 2")
        assert data["use"].location == at(4, 3)
        assert data["use"].key_location("x") == at(2, 3)
        assert data["use"].value_location("x") == at(2, 6)
        assert data["use"].value_location("y") == at(5, 6)

    def test_the_merged_mapping_stays_as_it_was(self) -> None:
        data = mapping("base: &b {x: 1}\nuse: {<<: *b, x: 2}")
        assert data["base"] == {"x": 1}
        assert data["base"].value_location("x") == at(1, 14)

    def test_a_mapping_in_place_and_merges_of_merges(self) -> None:
        data = mapping("a: &a {<<: {x: 1}, y: 2}\nb: {<<: *a, z: 3}")
        assert data["b"] == {"x": 1, "y": 2, "z": 3}

    @pytest.mark.parametrize("key", ["'<<'", '"<<"', "!!str <<"])
    def test_a_quoted_one_is_an_ordinary_key(self, key: str) -> None:
        assert mapping(f"{key}: 1\nb: {{<<: {{x: 2}}}}") == {"<<": 1, "b": {"x": 2}}

    def test_as_a_value_it_is_text(self) -> None:
        assert sequence("[<<, a]") == ["<<", "a"]

    @pytest.mark.parametrize("value", ["1", "text", "", "[{a: 1}, 2]", "[[{a: 1}]]"])
    def test_anything_else_cannot_be_merged(self, value: str) -> None:
        assert failure(f"a:\n  <<: {value}\n").endswith(
            ": '<<' merges mappings, and this is none\n"
            "  hint: write '<<: *anchor' or '<<: [*first, *second]', or quote the key '<<'"
        )
        assert failure("<<: 1").startswith("issues.yaml:1:5: ")

    def test_two_merge_keys_are_duplicates(self) -> None:
        assert failure("a: &a {}\nb:\n  <<: *a\n  <<: *a") == (
            "issues.yaml:4:3: duplicate key '<<': in line 3 and again in line 4\n"
            "  hint: merge several mappings with '<<: [*first, *second]'"
        )


class TestAliases:
    def test_an_alias_is_the_anchored_object(self) -> None:
        data = mapping("a: &x [1]\nb: *x\nc: &y ~\nd: *y")
        assert data["b"] is data["a"]
        assert data["d"] is None

    def test_the_later_anchor_of_a_name_wins(self) -> None:
        assert sequence("[&x 1, *x, &x 2, *x]") == [1, 1, 2, 2]

    def test_an_undefined_alias(self) -> None:
        assert failure("a: *b") == (
            "issues.yaml:1:4: there is no anchor &b above this alias\n"
            "  hint: write &b before the value; quote a text that begins with '*'"
        )

    def test_a_misspelt_alias(self) -> None:
        assert failure("a: &admin 1\nb: *admn") == (
            "issues.yaml:2:4: there is no anchor &admn above this alias\n"
            "  hint: did you mean *admin?"
        )

    @pytest.mark.parametrize(
        ("text", "place"),
        [("a: &a [*a]", "1:8"), ("&a {b: {c: *a}}", "1:12"), ("&a {<<: *a}", "1:9")],
    )
    def test_a_recursive_anchor(self, text: str, place: str) -> None:
        assert failure(text) == (
            f"issues.yaml:{place}: the alias *a stands inside its own anchor\n"
            "  hint: data cannot contain itself: write this part out"
        )

    def test_a_bomb(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
        assert failure("\n".join(lines)) == (
            "issues.yaml:6:10: the aliases up to here stand for 141,148 values\n"
            "  hint: aliases of aliases multiply: alias less, or smaller parts"
        )

    def test_a_bomb_of_merge_keys(self) -> None:
        keys = ", ".join(f"k{n}" for n in range(1_000))
        text = f"a: &a {{{keys}}}\nb:\n" + "- {<<: *a}\n" * 1_000
        assert "the aliases up to here stand for" in failure(text)

    def test_a_large_suite_with_shared_parts_is_none(self) -> None:
        shared = "shared: &s {a: {b: [1, 2, 3], c: 4}, d: {e: [5, 6, 7]}, f: 8}\nspecs:\n"
        specs = "".join(f"- {{n: {n}, use: *s, l: [1, 2, 3]}}\n" for n in range(10_000))
        data = mapping(shared + specs)
        assert data["specs"][9_999]["use"] is data["shared"]


class TestDepth:
    @pytest.mark.parametrize(
        ("text", "column"),
        [
            ("[" * 100_000, 65),
            ("{a: " * 100_000, 257),
            ("- " * 100_000, 129),
            ("[" * 65 + "]" * 65, 65),
        ],
    )
    def test_too_deep(self, text: str, column: int) -> None:
        assert failure(text) == (
            f"issues.yaml:1:{column}: this is nested deeper than 64 levels\n"
            "  hint: write it flatter; perhaps a bracket is not closed"
        )

    def test_deep_enough(self) -> None:
        assert sequence("[" * 64 + "1" + "]" * 64)

    def test_aliases_count_with_what_they_stand_for(self) -> None:
        lines = [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100)]
        assert failure("a0: &a0 [x]\n" + "\n".join(lines)).startswith(
            "issues.yaml:64:12: this is nested deeper than 64 levels"
        )
        text = "\n".join(["a0: &a0 [x]", *lines[:62]])
        assert mapping(text)["a62"]

    def test_siblings_do_not_add_up(self) -> None:
        deep = "[" * 60 + "]" * 60
        assert mapping(f"a: &a {deep}\nb: &b [[x]]\nc: [[[[[*b]]]]]\nd: [*a]\ne: *b")

    @pytest.mark.parametrize("inner", ["&i {deep}", "{deep}, &i [x]", "&i [x], {deep}"])
    def test_an_anchor_within_an_anchor_hides_no_depth(self, inner: str) -> None:
        text = "- &o [" + inner.format(deep="[" * 30 + "]" * 30) + "]\n- {}*o{}"
        assert sequence(text.format("[" * 32, "]" * 32))
        assert "nested deeper" in failure(text.format("[" * 33, "]" * 33))


class TestSyntax:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "a:\n\t- b\n",
                "2:1: not valid YAML: found character '\\t' that cannot start any token\n"
                "  hint: indent with spaces, not with tabs",
            ),
            (
                "a:\n  b: 1\n\tc: 2",
                "3:1: not valid YAML: found a tab character that violates indentation,"
                " while scanning a plain scalar that begins at 2:6\n"
                "  hint: indent with spaces, not with tabs",
            ),
            (
                'a: "x\nb: 1\n',
                "3:1: not valid YAML: found unexpected end of stream,"
                " while scanning a quoted scalar that begins at 1:4\n"
                "  hint: a quote that was opened is never closed",
            ),
            (
                "a: b: c",
                "1:5: not valid YAML: mapping values are not allowed in this context\n"
                "  hint: check the indentation; a text with ': ' in it needs quotes",
            ),
            (
                "a: @x",
                "1:4: not valid YAML: found character '@' that cannot start any token\n"
                "  hint: put quotes around a text that begins with this character",
            ),
            (
                "a: 'x' y",
                "1:8: not valid YAML: did not find expected key,"
                " while parsing a block mapping that begins at 1:1\n"
                "  hint: check the indentation, and for text behind a closing quote",
            ),
            (
                "- a\nb: 1",
                "2:1: not valid YAML: did not find expected '-' indicator,"
                " while parsing a block collection that begins at 1:1\n"
                "  hint: check the indentation; the items of a list all begin with '- '",
            ),
            (
                "a:\n  b: 1\nc\nd: 2",
                "4:1: not valid YAML: could not find expected ':',"
                " while scanning a simple key that begins at 3:1\n"
                "  hint: a key is followed by a colon and a space",
            ),
            (
                'a: "\\d"',
                "1:5: not valid YAML: found unknown escape character,"
                " while parsing a quoted scalar that begins at 1:4\n"
                "  hint: in double quotes a backslash is written twice; in single quotes once",
            ),
            (
                "a\n...\nb",
                "3:1: not valid YAML: did not find expected <document start>\n"
                "  hint: check the indentation, and for text behind the end of the data",
            ),
            (
                "a: [, 1]",
                "1:5: not valid YAML: did not find expected node content\n"
                "  hint: a value is missing, or a text needs quotes",
            ),
            (
                "a: [1, 2",
                "1:9: not valid YAML: did not find expected ',' or ']',"
                " while parsing a flow sequence that begins at 1:4\n"
                "  hint: a bracket or brace is not closed, or a comma is missing",
            ),
        ],
    )
    def test_errors_of_the_parser_are_readable(self, text: str, message: str) -> None:
        assert failure(text) == f"issues.yaml:{message}"


class TestFiles:
    def write(self, folder: Path, content: bytes) -> Path:
        path = folder / "issues.yaml"
        path.write_bytes(content)
        return path

    def fails(self, folder: Path, content: bytes) -> str:
        with pytest.raises(SpecError) as caught:
            read(self.write(folder, content))
        return str(caught.value).removeprefix(str(folder) + "/")

    def test_utf_8_with_a_bom_and_crlf(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, "\ufeffé: ü\r\nb:\r\n  - 😀 x\r\n  - |\r\n    y\r\n".encode())
        data: Any = read(path)
        assert data == {"é": "ü", "b": ["😀 x", "y\n"]}
        assert data.value_location("é") == at(1, 4, path)
        assert data["b"].item_location(1) == at(4, 5, path)

    def test_every_line_break_counts_once(self) -> None:
        data = mapping("a: 1\r\nb: 2\rc: 3\nd: 4")
        assert [data.key_location(key).line for key in "abcd"] == [1, 2, 3, 4]

    def test_latin_1(self, tmp_path: Path) -> None:
        assert self.fails(tmp_path, "ä: 1\r\nb: ü".encode() + b"\xfc") == (
            "issues.yaml:2:5: byte 0xfc is not UTF-8\n  hint: save the file as UTF-8"
        )

    def test_utf_16(self, tmp_path: Path) -> None:
        assert self.fails(tmp_path, "a: 1".encode("utf-16")).startswith(
            "issues.yaml:1:1: byte 0xff"
        )

    @pytest.mark.parametrize(
        ("character", "escape"),
        [
            ("\0", "\\x00"),
            ("\x07", "\\x07"),
            ("\x7f", "\\x7f"),
            ("\x85", "\\x85"),
            ("\u2028", "\\u2028"),
            ("\ufeff", "\\ufeff"),
        ],
    )
    def test_characters_that_are_refused(self, tmp_path: Path, character: str, escape: str) -> None:
        assert self.fails(tmp_path, f"a: 1\nb: x{character}".encode()) == (
            f"issues.yaml:2:5: the character U+{ord(character):04X} may not stand in a YAML file\n"
            f'  hint: remove it, or write it as "{escape}" in double quotes'
        )
        assert parse(f'"{escape}"', FILE) == character

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(SpecError) as caught:
            read(tmp_path / "none.yaml")
        assert str(caught.value) == (
            f"{tmp_path}/none.yaml:1:1: the file cannot be read: No such file or directory\n"
            "  hint: check that it exists and that you may read it"
        )

    @pytest.mark.parametrize(
        "text", ["", "\ufeff", "\n\n", "# only a comment\n", "---\n", "---\n...\n"]
    )
    def test_an_empty_file_is_none(self, text: str) -> None:
        assert parse(text, FILE) is None

    @pytest.mark.parametrize("text", ["--- 1", "%YAML 1.2\n---\n1\n...\n", "1\n...\n# end"])
    def test_the_marks_of_one_document(self, text: str) -> None:
        assert parse(text, FILE) == 1

    @pytest.mark.parametrize(
        ("text", "place"),
        [("a: 1\n---\nb: 2", "2:1"), ("a: 1\n---\n", "2:1")],
    )
    def test_a_second_document(self, text: str, place: str) -> None:
        assert failure(text) == (
            f"issues.yaml:{place}: a second document begins here, and a file holds one\n"
            "  hint: remove the '---', or put the second document into a file of its own"
        )


SUITE = """\
name: issues
seed:
  issues:
    - {id: 1, title: first}
    -   title: second
specs: &specs
  - name: ü
again: *specs
"""


class TestLocations:
    def test_of_mappings(self) -> None:
        data = mapping(SUITE)
        assert data.location == at(1, 1)
        assert data.key_location("seed") == at(2, 1)
        assert data.value_location("seed") == data["seed"].location == at(3, 3)
        assert data["seed"]["issues"][0].value_location("title") == at(4, 22)
        with pytest.raises(KeyError):
            data.key_location("none")

    def test_of_sequences(self) -> None:
        issues = mapping(SUITE)["seed"]["issues"]
        assert issues.location == at(4, 5)
        assert issues.item_location(0) == at(4, 7)
        assert issues.item_location(1) == issues[1].location == at(5, 9)

    def test_of_an_alias_and_of_what_it_stands_for(self) -> None:
        data = mapping(SUITE)
        assert data.value_location("again") == at(8, 8)
        assert data["again"].item_location(0) == at(7, 5)

    @pytest.mark.parametrize(
        ("path", "key", "place"),
        [
            ((), False, at(1, 1)),
            (("name",), False, at(1, 7)),
            (("name",), True, at(1, 1)),
            (("seed", "issues", 0, "title"), False, at(4, 22)),
            (("seed", "issues", 0, "title"), True, at(4, 15)),
            (("seed", "issues", 1), True, at(5, 9)),
            (("seed", "issues", 2, "title"), False, at(4, 5)),
            (("seed", "issues", -1), False, at(4, 5)),
            (("seed", "people", 0), True, at(3, 3)),
            (("seed", 0), False, at(3, 3)),
            (("seed", "issues", "title"), False, at(4, 5)),
            (("name", "x", "y"), True, at(1, 7)),
            (("again",), False, at(8, 8)),
            (("again", 0, "name"), False, at(7, 11)),
            (("none",), True, at(1, 1)),
        ],
    )
    def test_locate(self, path: tuple[str | int, ...], key: bool, place: Location) -> None:
        assert locate(mapping(SUITE), path, key=key) == place

    def test_they_survive_copying_and_pickling(self) -> None:
        data = mapping(SUITE)
        for twin in (copy.deepcopy(data), pickle.loads(pickle.dumps(data))):
            assert twin == data
            assert locate(twin, ("seed", "issues", 1, "title")) == at(5, 16)


class TestChanges:
    def test_replaced_values_stand_where_the_old_ones_did(self) -> None:
        data = mapping("\n{a: 1, b: 2}")
        result = data.replaced({"b": 3, "c": 4})
        assert result == {"a": 1, "b": 3, "c": 4}
        assert data == {"a": 1, "b": 2}
        assert result.location == at(2, 1)
        assert result.value_location("b") == at(2, 11)
        assert result.key_location("c") == result.value_location("c") == at(2, 1)

    def test_mapped_items_stand_where_the_old_ones_did(self) -> None:
        data = sequence("- 1\n- 2")
        result = data.mapped(str)
        assert (result, data) == (["1", "2"], [1, 2])
        assert result.location == at(1, 1)
        assert result.item_location(1) == at(2, 3)

    def test_merged_keys_keep_their_file(self) -> None:
        part, suite, spec = (Path(name) for name in ("_part.yaml", "suite.yaml", "spec.yaml"))
        base = merged(mapping("a: 1\nb: {x: 1}", part), mapping("\nb: 2\nc: 2", suite))
        result = merged(base, mapping("\n\nc: 3", spec))
        assert result == {"a": 1, "b": 2, "c": 3}
        assert list(result) == ["a", "b", "c"]
        assert result.location == at(3, 1, spec)
        assert result.value_location("a") == at(1, 4, part)
        assert result.key_location("b") == at(2, 1, suite)
        assert result.value_location("c") == at(3, 4, spec)
        assert locate(result.replaced({"a": 9}), ("a",)) == at(1, 4, part)

    def test_merging_changes_neither(self) -> None:
        base, override = mapping("a: 1", Path("b")), mapping("\na: 2")
        merged(base, override)
        assert (base, override) == ({"a": 1}, {"a": 2})
        assert base.value_location("a") == at(1, 4, Path("b"))


class TestPythonParser:
    """PyYAML without libyaml."""

    @pytest.fixture(autouse=True)
    def _without_libyaml(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(source, "_Loader", yaml.SafeLoader)

    def test_data_and_places_are_the_same(self) -> None:
        data = mapping(SUITE.replace("\n", "\r\n"))
        assert data == mapping(SUITE)
        assert locate(data, ("again", 0, "name")) == at(7, 11)

    def test_so_are_the_errors(self) -> None:
        assert failure("a:\n\t- b\n") == (
            "issues.yaml:2:1: not valid YAML: found character '\\t' that cannot start any token\n"
            "  hint: indent with spaces, not with tabs"
        )
        assert "nested deeper" in failure("[" * 100_000)
        assert failure("a: {{ x }} y").endswith('quotes around a template: "{{ x }} y"')

    def test_an_escape_beyond_unicode(self) -> None:
        message = failure('a: "\\U99999999"')
        assert message == "issues.yaml:1:7: this escape stands for no character"
