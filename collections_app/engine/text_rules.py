"""Which characters stored text must not contain, and how long it may be.

The patterns differ on purpose: Postgres rejects only NUL and unpaired surrogates, and everything beyond that depends on
what the text is used for. They stand side by side so that the differences are visible.
"""

import re

from paliapi.units import DISGUISING

# Postgres cannot store these in `text` or `jsonb`.
_UNSTORABLE = "\x00\ud800-\udfff"
# Noncharacters. PDFium, for example, marks a hyphen at the end of a line with U+FFFE.
_NONCHARACTERS = "\ufffe\uffff"

# Metadata and filters: clients get back exactly what they sent, so only what cannot be stored is rejected.
UNSTORABLE = re.compile(f"[{_UNSTORABLE}]")
# Names are part of URLs and log lines, so they contain no control characters. People recognise documents by them, so
# they look like what they are.
FORBIDDEN_IN_NAMES = re.compile(f"[{_UNSTORABLE}\x01-\x1f\x7f{DISGUISING}]")
# A word is one line without control characters.
FORBIDDEN_IN_WORDS = re.compile(f"[{_UNSTORABLE}{_NONCHARACTERS}\x01-\x1f\x7f]")
# The text of a page may also contain tabs and line breaks.
FORBIDDEN_IN_PAGE_TEXT = re.compile(f"[{_UNSTORABLE}{_NONCHARACTERS}\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")

MAX_PAGE_CHARACTERS = 200_000
