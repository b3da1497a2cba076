// libwebsockets for Swift.
#pragma once
#include <libwebsockets.h>
