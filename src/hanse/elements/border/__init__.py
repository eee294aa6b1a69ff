"""Border: where calls of other operators arrive (architecture: a guard and a translator around an API)."""

from hanse.elements.border.element import Border

__all__ = ["Border"]
