"""Charts of Plotly: drawn where the page's library can, and where it cannot, that is said and their data is given."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SECONDS = 30_000
"""Milliseconds in which a chart is there; several are drawn at a time."""


def test_all_kinds_but_maps_are_drawn(open_page) -> None:
    client = open_page("kinds")
    charts = client.do("Draw them").locator(".outputs > *")
    expect(charts).to_have_count(7)
    expect(client.page.locator(".outputs .note")).to_have_count(0)
    drawn = (
        ".treemaplayer .slice",
        ".sunburstlayer .slice",
        ".boxlayer .box",
        ".polarlayer .point",
        ".sankey .sankey-node",
        ".indicatorlayer .number",
    )
    for number, part in enumerate(drawn):
        frame = client.page.frame_locator(f"iframe[src='/frame/plotly'] >> nth={number}")
        expect(frame.locator(part).first).to_be_attached(timeout=SECONDS)
    # Three dimensions need WebGL, which the library asks for; where there is none, it says so.
    space = client.page.frame_locator(f"iframe[src='/frame/plotly'] >> nth={len(drawn)}")
    expect(space.locator(".gl-container canvas, .no-webgl").first).to_be_attached(timeout=SECONDS)


def test_what_cannot_be_drawn_is_said_and_its_data_given(open_page) -> None:
    client = open_page("charts")
    page = client.page
    charts = client.do("Draw them").locator(".outputs > *")
    expect(charts).to_have_count(5)
    world, mixed, still, dots, broken = charts.all()

    expect(world).to_contain_text("Lands <b>and</b> places")
    expect(world).to_contain_text("The page draws no charts of this kind: choropleth, scattermap.")
    expect(world).to_contain_text("write_html")
    expect(world.locator("iframe")).to_have_count(0)
    world.locator("summary").click()
    expect(world.locator("pre")).to_be_visible()
    expect(world.locator("pre")).to_contain_text('"choropleth"')
    name, content = client.saved(world.get_by_role("button", name="Save the chart's data"))
    assert name == "chart.json"
    assert [trace["type"] for trace in json.loads(content)["data"]] == ["choropleth", "scattermap"]

    # One that is drawn with a graphics card elsewhere is drawn without here; the one beside it is missing.
    expect(mixed).to_contain_text("The page draws no charts of this kind: scattermap. What else is in it is drawn.")
    frame = mixed.frame_locator("iframe[src='/frame/plotly']")
    expect(frame.locator(".gtitle")).to_have_text("Dots")
    expect(frame.locator(".scatterlayer .point")).to_have_count(3)

    assert still.locator("img").evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 1
    expect(still).not_to_contain_text("The page draws no charts")

    expect(dots.locator(".note")).to_have_count(0)
    frame = page.frame_locator("iframe[src='/frame/plotly'] >> nth=1")
    expect(frame.locator(".gtitle")).to_have_text("All of it")
    expect(frame.locator(".scatterlayer .point")).to_have_count(3)
    expect(broken).to_contain_text("The page draws no charts of this kind")


def test_the_same_is_said_in_chinese(open_page) -> None:
    turn = open_page("chart", locale="zh-CN").do("画图")
    expect(turn.locator(".outputs")).to_contain_text("本页不能绘制这类图表：scattergeo。")
