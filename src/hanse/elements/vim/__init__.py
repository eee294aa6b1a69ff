"""VIM: the virtualisation infrastructure manager of a host (ETSI GS MEC 003, 7.1.4.4)."""

from hanse.elements.vim.element import Vim

__all__ = ["Vim"]
