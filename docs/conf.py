"""The site: `sphinx-build -W docs docs/_build/html`. It is built, searched and read without a network."""

import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import site_parts  # noqa: E402

project, author, copyright = "slmfit", "the authors of slmfit", "the authors of slmfit, Apache-2.0"
release = metadata.version("slmfit")
extensions = ["myst_nb", "sphinx.ext.autodoc", "site_parts"]
exclude_patterns = ["_build", "README.md", "lessons/slmfit-out"]

myst_enable_extensions = ["dollarmath", "colon_fence", "fieldlist"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

nb_execution_mode = "cache"  # a lesson is run again when its code changes
nb_execution_raise_on_error = True
nb_execution_timeout = 3600  # a busy machine
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
nb_execution_excludepatterns = site_parts.lessons_without_weights()
nb_merge_streams = True
nb_output_stderr = "remove"  # progress of other libraries

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_inherit_docstrings = False
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
default_role = "code"  # what stands between backticks in a docstring

html_theme = "furo"
html_title = "slmfit"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["llms.txt"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": False, "top_of_page_buttons": []}
