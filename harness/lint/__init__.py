"""What blows memory up in Python tests, found in their source: nothing of it is run or imported."""
