// What glibc's allocator says of itself, and how it is set. Its header is not part of Swift's Glibc module.
#pragma once
#include <malloc.h>
