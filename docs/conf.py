import serkit

project = "serkit"
author = "the serkit developers"
copyright = "2026, the serkit developers"
release = serkit.__version__
version = release

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = True
numpydoc_class_members_toctree = False
numpydoc_show_inherited_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "auto_examples",
    "download_all_examples": False,
    "show_signature": False,
}

# `make linkcheck` asks the sites themselves; some refuse programs, or are slow.
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_anchors = False

templates_path = ["_templates"]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "serkit"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": {"index": [], "**": ["page-toc"]},
}
html_sidebars = {"index": []}
html_static_path = ["_static"]
html_css_files = ["serkit.css"]
html_show_sourcelink = False
