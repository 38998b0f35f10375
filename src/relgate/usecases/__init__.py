"""What relgate does, without pytest and without click: both shells call these.

A run goes through four rooms: ``preparing``, ``measuring``, ``judging``, ``reporting``; imports point back.
"""
