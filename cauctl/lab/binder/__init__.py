"""PowerShell's parameter binder: which parameters a call binds, to what, and how it is refused.

The rules are PowerShell's (``CmdletParameterBinderController`` and its neighbours), the parameters are those of
``cauctl/lab/windows-cmdlets.json``; both were checked against a real engine.
"""
