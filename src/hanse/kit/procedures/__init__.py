"""Durable procedures: sequences of steps that finish even if the process is killed at any line.

A procedure is an async function of `Steps` and a subject (the id of the record that it works on). It is begun by an
event that is committed with that record, under an id of its own; DBOS Transact keeps the result of each finished step
and, after a crash, runs the function again from the top with the finished steps answered from its log. So every step
must be safe to run twice, and everything with an effect must be inside a step.

DBOS is one instance a process and lives behind this module only.
"""

from hanse.kit.procedures.durable import DurableProcedures
from hanse.kit.procedures.words import Body, Procedures, Start, Step, Steps

__all__ = ["Body", "DurableProcedures", "Procedures", "Start", "Step", "Steps"]
