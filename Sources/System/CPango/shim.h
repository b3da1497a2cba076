// Pango and Cairo for Swift: GLib's casting macros as plain functions. Nothing else is C.
#pragma once
#include <pango/pangocairo.h>

static inline void nc_g_object_unref(void *object) { g_object_unref(object); }
