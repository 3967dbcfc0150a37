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
    both: dict[str, str] = {
        "body_background_fill": "var(--m-background)",
        "body_text_color": "var(--m-ink)",
        "body_text_color_subdued": "var(--m-dim)",
        "background_fill_primary": "var(--m-panel)",
        "background_fill_secondary": "var(--m-raised)",
        "border_color_primary": "var(--m-line)",
        "border_color_accent": "var(--m-accent)",
        "border_color_accent_subdued": "var(--m-line)",
        "color_accent_soft": "var(--m-raised)",
        "link_text_color": "var(--m-accent-text)",
        "link_text_color_active": "var(--m-accent-text)",
        "link_text_color_hover": "var(--m-accent-text)",
        "link_text_color_visited": "var(--m-accent-text)",
        "block_background_fill": "transparent",
        "block_border_color": "var(--m-line)",
        "block_border_width": "0px",
        "block_info_text_color": "var(--m-dim)",
        "block_label_background_fill": "transparent",
        "block_label_border_width": "0px",
        "block_label_text_color": "var(--m-dim)",
        "block_shadow": "none",
        "block_title_background_fill": "transparent",
        "block_title_border_width": "0px",
        "block_title_text_color": "var(--m-dim)",
        "panel_background_fill": "var(--m-panel)",
        "panel_border_color": "var(--m-line)",
        "accordion_text_color": "var(--m-dim)",
        "input_background_fill": "var(--m-raised)",
        "input_background_fill_focus": "var(--m-raised)",
        "input_background_fill_hover": "var(--m-raised)",
        "input_border_color": "var(--m-line)",
        "input_border_color_focus": "var(--m-accent)",
        "input_border_color_hover": "var(--m-dim)",
        "input_border_width": "1px",
        "input_placeholder_color": "var(--m-dim)",
        "input_shadow": "none",
        "input_shadow_focus": "none",
        "loader_color": "var(--m-accent)",
        "slider_color": "var(--m-accent)",
        "error_background_fill": "var(--m-panel)",
        "error_border_color": "var(--m-bad)",
        "error_text_color": "var(--m-bad)",
        "error_icon_color": "var(--m-bad)",
        "button_border_width": "1px",
        "button_primary_background_fill": "var(--m-accent)",
        "button_primary_background_fill_hover": "var(--m-accent)",
        "button_primary_border_color": "var(--m-accent)",
        "button_primary_border_color_hover": "var(--m-accent)",
        "button_primary_text_color": "var(--m-on-accent)",
        "button_primary_text_color_hover": "var(--m-on-accent)",
        "button_secondary_background_fill": "var(--m-raised)",
        "button_secondary_background_fill_hover": "var(--m-raised)",
        "button_secondary_border_color": "var(--m-line)",
        "button_secondary_border_color_hover": "var(--m-dim)",
        "button_secondary_text_color": "var(--m-ink)",
        "button_secondary_text_color_hover": "var(--m-ink)",
    }
    once = {
        "color_accent": "var(--m-accent)",
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
    return theme.set(**both, **{f"{name}_dark": value for name, value in both.items()}, **once)
