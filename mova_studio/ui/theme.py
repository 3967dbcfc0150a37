"""The colours, spaces and letters of the page, as a Gradio theme with a light and a dark side."""

from __future__ import annotations

import gradio as gr
from gradio.themes.utils import colors, sizes

LIGHT = {
    "background": "#f6f4ef",
    "panel": "#fffdf8",
    "raised": "#efece4",
    "line": "#ddd8cc",
    "ink": "#1f2126",
    "dim": "#61666f",
    "accent": "#f2a33a",
    "accent-text": "#8a5200",
    "on-accent": "#1a1204",
    "ok": "#3f7a58",
    "warn": "#7a5a00",
    "bad": "#b3382f",
    "wave": "#2f6f9f",
}
DARK = {
    "background": "#14161a",
    "panel": "#1b1e24",
    "raised": "#242831",
    "line": "#2f3541",
    "ink": "#eceae4",
    "dim": "#9aa1ad",
    "accent": "#f2a33a",
    "accent-text": "#f2a33a",
    "on-accent": "#1a1204",
    "ok": "#6fbf8b",
    "warn": "#e0b64a",
    "bad": "#ee8079",
    "wave": "#6aa7d8",
}

_SANS = ("system-ui", "-apple-system", "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Noto Sans Mono CJK SC", "monospace")


def tokens_css() -> str:
    """The tokens as CSS variables, --m-ink and the like, for `studio.css`."""

    def block(selector: str, tokens: dict[str, str]) -> str:
        return selector + " { " + " ".join(f"--m-{name}: {value};" for name, value in tokens.items()) + " }"

    return block(":root", LIGHT) + "\n" + block(".dark", DARK)


def studio_theme() -> gr.themes.Base:
    """Gradio's own variables, all pointed at the tokens, so that none of its stock colours is left."""
    theme = gr.themes.Base(
        primary_hue=colors.amber,
        neutral_hue=colors.gray,
        text_size=sizes.text_md,
        spacing_size=sizes.spacing_md,
        radius_size=sizes.radius_md,
        font=_SANS,
        font_mono=_MONO,
    )
    # Values and not CSS variables, because the sign-in page has the theme but not our own style sheet.
    coloured: dict[str, str] = {
        "body_background_fill": "background",
        "body_text_color": "ink",
        "body_text_color_subdued": "dim",
        "background_fill_primary": "panel",
        "background_fill_secondary": "raised",
        "border_color_primary": "line",
        "border_color_accent": "accent",
        "border_color_accent_subdued": "line",
        "color_accent_soft": "raised",
        "link_text_color": "accent-text",
        "link_text_color_active": "accent-text",
        "link_text_color_hover": "accent-text",
        "link_text_color_visited": "accent-text",
        "block_background_fill": "panel",
        "checkbox_background_color": "panel",
        "checkbox_background_color_focus": "panel",
        "checkbox_background_color_hover": "panel",
        "checkbox_background_color_selected": "accent",
        "checkbox_border_color": "dim",
        "checkbox_border_color_focus": "accent",
        "checkbox_border_color_hover": "dim",
        "checkbox_border_color_selected": "accent",
        "checkbox_label_background_fill": "raised",
        "checkbox_label_background_fill_hover": "raised",
        "checkbox_label_background_fill_selected": "raised",
        "checkbox_label_border_color": "line",
        "checkbox_label_border_color_hover": "dim",
        "checkbox_label_border_color_selected": "accent",
        "checkbox_label_text_color": "ink",
        "checkbox_label_text_color_selected": "ink",
        "block_border_color": "line",
        "block_info_text_color": "dim",
        "block_label_text_color": "dim",
        "block_title_text_color": "dim",
        "panel_background_fill": "panel",
        "panel_border_color": "line",
        "accordion_text_color": "dim",
        "input_background_fill": "raised",
        "input_background_fill_focus": "raised",
        "input_background_fill_hover": "raised",
        "input_border_color": "line",
        "input_border_color_focus": "accent",
        "input_border_color_hover": "dim",
        "input_placeholder_color": "dim",
        "loader_color": "accent",
        "slider_color": "accent",
        "error_background_fill": "panel",
        "error_border_color": "bad",
        "error_text_color": "bad",
        "error_icon_color": "bad",
        "button_primary_background_fill": "accent",
        "button_primary_background_fill_hover": "accent",
        "button_primary_border_color": "accent",
        "button_primary_border_color_hover": "accent",
        "button_primary_text_color": "on-accent",
        "button_primary_text_color_hover": "on-accent",
        "button_secondary_background_fill": "raised",
        "button_secondary_background_fill_hover": "raised",
        "button_secondary_border_color": "line",
        "button_secondary_border_color_hover": "dim",
        "button_secondary_text_color": "ink",
        "button_secondary_text_color_hover": "ink",
    }
    plain = {
        "block_border_width": "0px",
        "block_label_background_fill": "transparent",
        "block_label_border_width": "0px",
        "block_shadow": "none",
        "block_title_background_fill": "transparent",
        "block_title_border_width": "0px",
        "input_border_width": "1px",
        "input_shadow": "none",
        "input_shadow_focus": "none",
        "button_border_width": "1px",
    }
    once = {
        "color_accent": LIGHT["accent"],
        "block_padding": "0px",
        "block_radius": "10px",
        "block_title_padding": "0px",
        "block_title_text_size": "12px",
        "block_title_text_weight": "400",
        "block_info_text_size": "12px",
        "block_label_padding": "0px",
        "block_label_text_size": "12px",
        "container_radius": "10px",
        "form_gap_width": "0px",
        "layout_gap": "12px",
        "input_padding": "8px 10px",
        "input_radius": "8px",
        "input_text_size": "14px",
        "button_large_radius": "8px",
        "button_medium_radius": "8px",
        "button_small_radius": "8px",
        "button_large_text_size": "14px",
        "button_medium_text_size": "14px",
        "button_small_text_size": "13px",
        "button_large_text_weight": "600",
        "button_medium_text_weight": "500",
        "button_small_text_weight": "400",
        "button_large_padding": "9px 16px",
        "button_medium_padding": "8px 14px",
        "button_small_padding": "5px 10px",
        "button_transition": "none",
        "button_transform_hover": "none",
        "button_transform_active": "none",
    }
    both = {**plain, **{f"{name}_dark": value for name, value in plain.items()}}
    light = {name: LIGHT[token] for name, token in coloured.items()}
    dark = {f"{name}_dark": DARK[token] for name, token in coloured.items()}
    return theme.set(**both, **light, **dark, **once)
