/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON lines, read back with a parser that is not ours. */
#ifndef XF_TEST_JSON_OBJECT_H
#define XF_TEST_JSON_OBJECT_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

/* Strictly: the whole line is one object and valid UTF-8, with a newline at its end and nowhere
 * else. */
struct json_object *read_back(const char *text, size_t len);

/* The value of @key, which the object then has no more: at the end of a test none may be left. */
struct json_object *take(struct json_object *obj, const char *key);

/* take() the value of @key and compare it. */
void want_number(struct json_object *obj, const char *key, uint64_t want);
void want_string(struct json_object *obj, const char *key, const char *want);
void want_true(struct json_object *obj, const char *key);

#endif
