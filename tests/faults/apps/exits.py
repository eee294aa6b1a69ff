"""An app that ends as soon as it begins."""

import sys

sys.exit("the engine does not start")
