"""WS-Management as a Windows node speaks it: envelopes, shells, authentication, TLS and the HTTP front end.

Nothing here knows PowerShell: what lies behind a shell is an :class:`~cauctl.lab.wsman.shell.Engine`, and PSRP
fragments pass through unread.
"""
