"""One file per schema; a file is never changed once it was released."""
