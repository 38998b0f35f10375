"""What turns a case's input into a response: python, chat and recording."""
