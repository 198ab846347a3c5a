"""Inlining: style sheets moved into style attributes; a library's work, which strangers' HTML can make endless."""


def moved(html: str) -> str:
    """`html` with its styles in its elements; media queries stay in a style element."""
    import css_inline

    return css_inline.CSSInliner(keep_at_rules=True, keep_link_tags=True, load_remote_stylesheets=False).inline(html)
