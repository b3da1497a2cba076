"""The tests' own measuring devices: they must be able to say no."""

import base64

import numpy
from support.measure import overlap, picture_of, places_of_colours, tone_levels

RED, GREEN = "d02020", "20a040"


def tones(levels):
    at = numpy.arange(32_768) / 48_000
    wave = sum(10 ** (decibels / 20) * numpy.sin(2 * numpy.pi * hertz * at) for hertz, decibels in levels.items())
    return numpy.round(wave * 32_768)


def frame(rectangles):
    rgba = numpy.zeros((180, 320, 4), dtype=numpy.uint8)
    for colour, (left, top, right, bottom) in rectangles.items():
        rgba[top:bottom, left:right, :3] = [int(colour[at : at + 2], 16) for at in (0, 2, 4)]
    return {"rgba": base64.b64encode(rgba.tobytes()).decode()}


def test_a_faint_tone_beside_a_loud_one_is_measured():
    levels = tone_levels(tones({350: -20, 530: -62}), [350, 530, 820])
    assert abs(levels[350] + 20) < 1 and abs(levels[530] + 62) < 1.5 and levels[820] < -85


def test_colours_are_found_where_they_are_and_a_missing_one_is_not():
    places = places_of_colours(picture_of(frame({RED: (0, 0, 160, 90)})), [RED, GREEN])
    assert places == {RED: (0, 0, 160, 90, 1.0)}


def test_a_tile_that_another_covers_is_seen_as_overlapping():
    places = places_of_colours(picture_of(frame({RED: (0, 0, 160, 90), GREEN: (60, 30, 140, 80)})), [RED, GREEN])
    assert overlap(places[RED][:4], places[GREEN][:4]) == 80 * 50 and places[RED][4] < 0.75
    assert overlap((0, 0, 10, 10), (10, 0, 20, 10)) == 0
