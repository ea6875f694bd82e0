"""Any report that the models admit, for properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from cauctl import models

TEXTS = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    ["_x0000_", "_x005F_x0041_", "_x0041\x00", "\r\n", "  ", "\ud83d\ude00", "]]>", "&lt;", "<!--", "\ufffe"]
)
NAMES = TEXTS.filter(lambda text: bool(text.strip()))
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001  the strategy takes naive bounds
    lambda moment: moment.replace(tzinfo=UTC)
)
SPANS = st.timedeltas(timedelta(days=-1), timedelta(days=400))
CODES = st.integers(-(2**31), 2**31 - 1)


EXCEPTIONS = st.builds(models.ExceptionData, NAMES, message=TEXTS)
ERRORS = st.builds(
    models.ErrorRecordData,
    NAMES,
    exception_data=st.none() | EXCEPTIONS,
    category=st.none() | TEXTS,
    advice=st.none() | TEXTS,
)
INSTALLS = st.builds(
    models.UpdateInstallResult,
    NAMES,
    update_id=NAMES,
    update_title=TEXTS,
    update_description=st.none() | TEXTS,
    source_plugin=st.none() | TEXTS,
    update_result_code=st.sampled_from(models.ResultCode),
    error_code=CODES,
    reboot_required=st.booleans(),
    long_reboot_hint=st.booleans(),
    update_timestamp=MOMENTS,
)
TIMINGS = st.builds(models.TimingBreakdown, scan_start=st.none() | MOMENTS, install_end=st.none() | MOMENTS)
NODES = st.builds(
    models.NodeResult,
    st.builds(models.CauNode, NAMES),
    status=st.sampled_from(models.SummaryStatus),
    error_record_data=st.none() | ERRORS,
    install_results=st.lists(INSTALLS, max_size=2).map(tuple),
    transient_install_errors=st.lists(ERRORS, max_size=2).map(tuple),
    node_suspended_timestamp=st.none() | MOMENTS,
    node_suspended_duration=st.none() | SPANS,
    node_reboot_result=st.none() | st.builds(models.NodeRebootResult, TEXTS, boot_type=TEXTS, soft_boot_status=TEXTS),
    timing_breakdown=st.none() | TIMINGS,
)
CAUSES = st.builds(
    models.FirstCause,
    ERRORS,
    node_name=st.none() | NAMES,
    phase=st.none() | st.sampled_from(models.NodeStatus),
    timestamp=st.none() | MOMENTS,
)
REPORTS = st.builds(
    models.CauReport,
    st.builds(
        models.ClusterResult,
        NAMES,
        run_id=st.uuids(),
        start_timestamp=MOMENTS,
        run_duration=SPANS,
        status=st.sampled_from(models.SummaryStatus),
        error_record_data=st.none() | ERRORS,
        node_results=st.lists(NODES, max_size=2).map(tuple),
    ),
    plugin=TEXTS,
    orchestrator_machine=TEXTS,
    orchestrator_user=TEXTS,
    orchestrator_update_account=TEXTS,
    first_cause=st.none() | CAUSES,
)
