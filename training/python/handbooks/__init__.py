"""Invents handbooks and conversations about them: what the starter model is trained and tested on."""

from .dialogues import Dialogue, Shape, Turn, make_dialogue
from .library import make_sheet
from .pages import plain_page

__all__ = ["Dialogue", "Shape", "Turn", "make_dialogue", "make_sheet", "plain_page"]
