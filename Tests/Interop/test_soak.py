"""The short form of the soak: it counts pictures and packets, not milliseconds."""

import soak


def test_joins_and_leaves_stall_nobody_and_leave_nothing_behind():
    measured = soak.run(seconds=20, joins=24, seed=7, most=5)
    assert measured["joins"] > 5 and measured["leaves"] > 5
    # 25 a second were due; a machine that runs browsers beside it may leave some out, but the stream never stops.
    assert measured["pictures"] + measured["picturesSkipped"] > 20 * measured["seconds"], measured
    # 50 packets a second: a hole would be a join that stopped the mixer.
    assert measured["soundPackets"] + measured["soundLost"] > 48 * measured["seconds"], measured
    assert measured["seatsLeftBehind"] == 0, measured
