"""Telemetry: what calls were made, written down by each process and drawn as the procedure that really ran.

``journal`` writes, ``reader`` and ``live`` read, ``join`` makes one arrow of the two ends' views, ``procedures`` groups
arrows, ``sequence`` lays them out, ``render_text``, ``render_mermaid`` and ``render_svg`` draw.
"""
