// SPDX-License-Identifier: GPL-2.0-only
/* JSON lines, read back with json-c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/loader/json_object.h"

struct json_object *read_back(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *obj;

	assert_ptr_equal(memchr(text, '\n', len), text + len - 1);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	obj = json_tokener_parse_ex(tok, text, len - 1);
	if (json_tokener_get_error(tok) != json_tokener_success ||
	    json_tokener_get_parse_end(tok) != len - 1)
		fail_msg("%s: %.*s", json_tokener_error_desc(json_tokener_get_error(tok)), (int)len,
			 text);
	json_tokener_free(tok);
	return obj;
}

struct json_object *take(struct json_object *obj, const char *key)
{
	struct json_object *val = NULL;

	if (!json_object_object_get_ex(obj, key, &val))
		fail_msg("%s is missing: %s", key, json_object_to_json_string(obj));
	json_object_get(val);
	json_object_object_del(obj, key);
	return val;
}

void want_number(struct json_object *obj, const char *key, uint64_t want)
{
	struct json_object *val = take(obj, key);

	assert_int_equal(json_object_get_type(val), json_type_int);
	if (json_object_get_uint64(val) != want)
		fail_msg("%s: %s", key, json_object_to_json_string(val));
	json_object_put(val);
}

void want_string(struct json_object *obj, const char *key, const char *want)
{
	struct json_object *val = take(obj, key);

	assert_int_equal(json_object_get_type(val), json_type_string);
	if (strcmp(json_object_get_string(val), want))
		fail_msg("%s: %s", key, json_object_to_json_string(val));
	json_object_put(val);
}

void want_true(struct json_object *obj, const char *key)
{
	struct json_object *val = take(obj, key);

	assert_int_equal(json_object_get_type(val), json_type_boolean);
	assert_true(json_object_get_boolean(val));
	json_object_put(val);
}
