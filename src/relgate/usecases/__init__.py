"""What relgate does, without pytest and without click: both shells call these."""
