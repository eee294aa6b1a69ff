"""Workloads as ordinary processes of this machine: no root, no daemon, bounded but not isolated.

`driver.ProcessCompute` is the driver. Nothing is imported here, so that a supervisor, which starts once for every
workload, loads the standard library and its own few modules only.
"""
