"""What the tracker does: functions of a session and an actor, one module for each noun."""
