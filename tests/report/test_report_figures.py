"""Pictures: same bytes, every letter, nothing run as mathematics, nothing outside the frame."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from htx_pipeline.report import chain_layout, figures, text
from htx_pipeline.report.drawing import FONTS, font_of, width_of, wrap
from htx_pipeline.report.figures import picture_key, render, render_all
from htx_pipeline.report.pictures import stage_names
from htx_pipeline.report.words import Words

LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxyfjwz"
TONED = "àáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"
ALPHABET = sorted(set(LETTERS + TONED + (LETTERS + TONED).upper() + "0123456789.,%–—…“”«»()/+-"))

STAGES = [
    {"id": s, "label": s, "n": 1}
    for s in ("inputs", "production", "collection", "processing", "consumption")
]
ENDS = {"loss": "Hao hụt", "unknown": "Chưa rõ"}


def chain_spec(flows: list[tuple[str, str, str, float]]) -> dict:
    products = sorted({f[2] for f in flows})
    return {
        "kind": "chain", "stages": STAGES, "ends": ENDS, "products": [{"code": p, "label": p} for p in products],
        "flows": [{"from": a, "to": b, "product": p, "amount": n, "executed": None} for a, b, p, n in flows],
        "scale": 1, "unit": "tấn", "decimals": 1, "lang": "vi", "mark": "",
        "words": {"organisations": "tổ chức", "absent": "chưa có", "other": "Sản phẩm khác", "undrawn": "Không vẽ: {amount}",
                  "executed": "đã thực hiện", "not_executed": "đã ký", "ends": "chưa rõ"},
    }  # fmt: skip


def bars_spec(label: str = "Đăk Hà") -> dict:
    return {
        "kind": "bars",
        "bars": [{"label": label, "shares": [0.5], "text": "50,0%"}],
        "series": ["Tỷ lệ"],
        "levels": [2],
        "mark": "",
    }


@pytest.mark.parametrize("name", sorted(p.name for p in FONTS.glob("*.ttf")))
def test_every_shipped_font_has_every_vietnamese_letter(name: str) -> None:
    from matplotlib.ft2font import FT2Font

    have = FT2Font(str(FONTS / name)).get_charmap()
    assert [c for c in ALPHABET if ord(c) not in have] == []


def test_drawing_uses_the_shipped_font_and_finds_every_glyph() -> None:
    # A missing glyph is a warning in matplotlib, and warnings are errors in these tests.
    svg = render(bars_spec("".join(ALPHABET)[:40])).svg.decode()
    assert "Be Vietnam Pro" in svg
    assert "DejaVu" not in svg
    for part in (ALPHABET[i : i + 30] for i in range(0, len(ALPHABET), 30)):
        assert width_of("".join(part), font_of(9)) > 0


def test_markup_in_a_name_is_drawn_as_it_is() -> None:
    svg = render(bars_spec("HTX $x_1$ <b>&")).svg.decode()
    assert "HTX $x_1$ &lt;b&gt;&amp;" in svg


def test_the_same_description_gives_the_same_bytes_and_another_gives_others() -> None:
    assert render(bars_spec()) == render(bars_spec())
    assert render(bars_spec()).svg != render(bars_spec("Đăk Tô")).svg


def test_an_svg_holds_no_date_and_asks_for_nothing_outside() -> None:
    svg = render(bars_spec()).svg.decode()
    assert "dc:date" not in svg
    assert not re.findall(r'(?:href|src)="(?!#)', svg)
    assert not re.findall(r"url\((?!#)", svg)


def test_a_png_holds_no_date() -> None:
    png = render(bars_spec()).png
    assert png.startswith(b"\x89PNG")
    assert b"tIME" not in png
    assert b"Creation" not in png


def test_the_mark_is_on_the_picture() -> None:
    assert "Số liệu giả định" in render({**bars_spec(), "mark": "Số liệu giả định"}).svg.decode()


def test_a_drawing_in_the_cache_is_not_drawn_again(tmp_path: Path, monkeypatch) -> None:
    specs = {f"h{i}": bars_spec(f"Huyện {i}") for i in range(3)}
    first = render_all(specs, cache_dir=tmp_path / "a")
    monkeypatch.setattr(figures, "render", None)
    assert render_all(specs, cache_dir=tmp_path / "a") == first


def test_the_same_content_is_drawn_once(tmp_path: Path) -> None:
    render_all({"a": bars_spec(), "b": bars_spec()}, cache_dir=tmp_path)
    assert len(list(tmp_path.glob("*.svg"))) == 1


def test_every_module_that_inks_is_part_of_the_key_of_a_picture() -> None:
    here = Path(figures.__file__).parent
    not_ink = {"cache", "wordml"}  # where files lie, and what XML forbids
    for name in figures.INKED_BY:
        source = (here / f"{name}.py").read_text("utf-8")
        used = set(re.findall(r"from htx_pipeline\.report\.(\w+) import", source))
        assert used <= {*figures.INKED_BY, *not_ink}, name


def test_the_key_of_a_picture_does_not_depend_on_the_order_of_keys() -> None:
    spec = bars_spec()
    assert picture_key(dict(reversed(spec.items()))) == picture_key(spec)


def test_a_flow_keeps_its_width_from_stage_to_stage() -> None:
    flows = [("production", "processing", "a", 6.0), ("production", "consumption", "b", 3.0),
             ("processing", "consumption", "a", 4.0), ("processing", "loss", "a", 2.0)]  # fmt: skip
    layout = chain_layout.connect(chain_spec(flows))
    assert {n: s.size for n, s in layout.nodes.items()} == {
        "production": 9.0, "processing": 6.0, "consumption": 7.0, "loss": 2.0,
    }  # fmt: skip
    assert {slot.size for slot in layout.lanes.values()} == {6.0, 3.0}


def test_slots_of_a_column_do_not_overlap() -> None:
    flows = [("production", "consumption", p, 1.0 + i) for i, p in enumerate("abcde")]
    flows += [
        ("production", "processing", "a", 5.0),
        ("processing", "unknown", "a", 2.0),
        ("unknown", "collection", "b", 1.0),
    ]
    spec = chain_spec(flows)
    layout = chain_layout.connect(spec)
    chain_layout.stand(layout, spec, top=1.0, body=1.75)
    for column in range(layout.n_columns):
        slots = sorted(
            (s for s in (*layout.nodes.values(), *layout.lanes.values()) if s.column == column),
            key=lambda s: s.y,
        )
        for above, below in itertools.pairwise(slots):
            assert above.y + above.size * layout.unit <= below.y + 1e-9


def test_what_flows_backward_or_within_a_stage_is_stated_not_dropped() -> None:
    svg = render(
        chain_spec(
            [
                ("production", "processing", "a", 6.0),
                ("processing", "production", "a", 1.5),
                ("production", "production", "a", 1.0),
            ]
        )
    ).svg.decode()
    assert "Không vẽ: 2,5 tấn" in svg


def test_losses_after_the_last_stage_have_a_place() -> None:
    svg = render(
        chain_spec([("production", "consumption", "a", 6.0), ("consumption", "loss", "a", 1.0)])
    ).svg.decode()
    assert "Hao hụt" in svg


def test_losses_of_several_stages_end_in_one_place() -> None:
    flows = [("production", "processing", "a", 6.0), ("processing", "loss", "a", 2.0),
             ("processing", "consumption", "a", 4.0), ("consumption", "loss", "a", 1.0)]  # fmt: skip
    layout = chain_layout.connect(chain_spec(flows))
    assert layout.nodes["loss"].size == 3.0
    assert {f.last for f in layout.flows if f.target == "loss"} == {layout.nodes["loss"].column} == {5}  # fmt: skip


def test_an_absent_stage_is_named_as_absent() -> None:
    spec = chain_spec([("production", "consumption", "a", 6.0)])
    spec["stages"] = [{**s, "n": 0} if s["id"] == "processing" else s for s in STAGES]
    assert "chưa có" in render(spec).svg.decode()


def test_only_backward_flows_still_make_a_picture() -> None:
    assert render(chain_spec([("consumption", "production", "a", 1.0)])).svg


def test_a_long_label_is_wrapped_or_cut_to_its_width() -> None:
    font = font_of(9)
    for words in ("Công ty TNHH Chế biến nông sản Tây Nguyên và Bắc Âu", "x" * 200, ""):
        lines = wrap(words, font, 1.5, 2)
        assert len(lines) <= 2
        assert all(width_of(line, font) <= 1.7 for line in lines)


LINKS = [("inputs", "production"), ("production", "collection"), ("collection", "processing"), ("processing", "consumption")]  # fmt: skip


def chain_in_words(lang: str, n: int, links: list[tuple[str, str]]) -> dict:
    """Return a chain with the stages' own labels, as reports write them."""
    w = Words(lang)
    names = stage_names(w)
    own = chain_spec([(a, b, "a", 1234.5) for a, b in links])
    keys = ("organisations", "absent", "other", "undrawn", "executed", "not_executed", "ends")
    return {
        **own, "lang": lang, "unit": {"vi": "tỷ đồng", "en": "VND billion"}[lang],
        "stages": [{"id": s, "label": names[s], "n": n, "why": ""} for s in text.STAGES],
        "ends": {e: names[e] for e in text.FLOW_ENDS}, "words": {k: w(f"chain.{k}", amount="{amount}") for k in keys},
    }  # fmt: skip


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("n", [0, 1, 25, 1234])
@pytest.mark.parametrize("links", [LINKS[1:2], LINKS, [*LINKS, ("consumption", "loss")]])
def test_no_word_above_a_stage_is_cut_or_touches_its_neighbours(lang, n, links) -> None:
    spec = chain_in_words(lang, n, links)
    layout = chain_layout.connect(spec)
    heads = chain_layout.heads_of(layout, spec)
    pitch = (chain_layout.WIDTH_IN - 2 * chain_layout.MARGIN - chain_layout.NODE_WIDTH) / (layout.n_columns - 1)  # fmt: skip
    before = 0.0
    for i, (stage, (label, under)) in enumerate(zip(spec["stages"], heads, strict=True)):
        assert " ".join(label) == stage["label"]
        assert "…" not in "".join(under)
        wide = max(*(width_of(x, font_of(9, 600)) for x in label), *(width_of(x, font_of(9)) for x in under))  # fmt: skip
        x = chain_layout.MARGIN + i * pitch
        right_edge = x + chain_layout.NODE_WIDTH
        is_last = i == layout.n_columns - 1
        left = x if i == 0 else right_edge - wide if is_last else (x + right_edge - wide) / 2
        assert left >= before, stage["label"]
        before = left + wide
    assert before <= chain_layout.WIDTH_IN


def words_of(svg: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(re.findall(r"<text[^>]*>(.*?)</text>", svg.decode(), re.S)))


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_drawn_chain_has_every_stage_in_full(lang) -> None:
    spec = chain_in_words(lang, 25, [*LINKS, ("processing", "loss"), ("unknown", "processing")])
    svg = render(spec).svg
    said = words_of(svg)
    assert "…" not in said
    for words in (*(s["label"] for s in spec["stages"]), *(spec["ends"].values())):
        assert set(words.split()) <= set(re.split(r"[\s<>]+", said)), words


def test_an_end_node_keeps_clear_of_the_box_of_an_absent_stage() -> None:
    spec = chain_spec([("production", "processing", "a", 6.0), ("processing", "unknown", "a", 6.0)])
    layout = chain_layout.connect(spec)
    chain_layout.stand(layout, spec, top=1.0, body=1.75)
    assert layout.nodes["unknown"].column == len(STAGES) - 1
    assert layout.nodes["unknown"].y >= 1.0 + chain_layout.BOX


def test_the_hatching_of_what_is_not_executed_is_not_paler_in_svg_than_its_ink() -> None:
    spec = chain_spec([("production", "processing", "a", 6.0)])
    spec["flows"][0]["executed"] = 2.0
    svg = render(spec).svg.decode()
    hatched = re.findall(r'style="([^"]*url\(#[^"]*)"', svg)
    assert hatched
    assert not [style for style in hatched if "opacity" in style]
    assert re.search(r"<pattern[\s\S]*?stroke: #0072b2", svg)
