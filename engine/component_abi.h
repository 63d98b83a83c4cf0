/* What a shared library exports to be an implementation of a component: one symbol, in C.
 *
 *   ALMANAC_COMPONENT_EXPORT const struct almanac_component almanac_component_v1 = {…};
 *
 * Of one instance no two functions are called at once. Bytes that a function gives live until the
 * next call with the same instance. Nothing here may throw. Compiled examples: examples/component/.
 */
#ifndef ALMANAC_ENGINE_COMPONENT_ABI_H
#define ALMANAC_ENGINE_COMPONENT_ABI_H

#include <stddef.h>

#ifdef __cplusplus
#define ALMANAC_COMPONENT_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define ALMANAC_COMPONENT_EXPORT __attribute__((visibility("default")))
#endif

struct almanac_bytes {
  const char* data;
  size_t size;
};

struct almanac_component {
  const char* version;
  /* With the state that another implementation has given, or nothing. Null = it cannot be. */
  void* (*create)(struct almanac_bytes state);
  void (*destroy)(void* self);
  /* 0 = it went well; else the answer says what was wrong, and it is used no more. */
  int (*call)(void* self, struct almanac_bytes request, struct almanac_bytes* answer);
  /* What the next implementation goes on with. 0 = it went well. */
  int (*save)(void* self, struct almanac_bytes* state);
};

#endif
