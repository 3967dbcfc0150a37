"""Where the network's weights lie on this machine: probe, ledger, planner, and applying a plan."""
