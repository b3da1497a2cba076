// libyuv for Swift.
#pragma once
#include <libyuv.h>
