"""What tools/examples.py holds the shipped files to. Each check takes text or documents and gives a list of faults."""
