/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON lines, read back with json-c. */
#ifndef XF_TEST_JSON_OBJECT_H
#define XF_TEST_JSON_OBJECT_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

/* Fails when the line is not one object in valid UTF-8, with a newline at its end and nowhere else.
 */
struct json_object *read_back(const char *text, size_t len);

/* Take the value of @key out of the object, so that a test can find keys that it did not expect. */
struct json_object *take(struct json_object *obj, const char *key);

/* take() the value of @key and compare it. */
void want_number(struct json_object *obj, const char *key, uint64_t want);
void want_string(struct json_object *obj, const char *key, const char *want);
void want_true(struct json_object *obj, const char *key);

#endif
