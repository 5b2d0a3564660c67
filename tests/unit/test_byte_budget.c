/*
 * What connections may bring, seen on connections over loopback.
 */
#include "pam_oidc/byte_budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PIECE ((size_t)64 * 1024)

struct scene {
	struct byte_budget budget;
	int listener, here, there;
	long port; /* of ours */
	int told;
	long told_port;
};

static void over_budget(void *context, long local_port)
{
	struct scene *scene = context;

	scene->told++;
	scene->told_port = local_port;
}

static long port_of(int fd)
{
	struct sockaddr_in address = { 0 };
	socklen_t size = sizeof(address);

	assert_return_code(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static void connect_both(struct scene *scene)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	*scene = (struct scene){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	assert_return_code(scene->listener, 0);
	assert_return_code(bind(scene->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_return_code(listen(scene->listener, 1), 0);
	assert_return_code(getsockname(scene->listener, (struct sockaddr *)&address, &size), 0);
	scene->here = byte_budget_socket(&scene->budget, AF_INET, SOCK_STREAM, 0);
	assert_return_code(scene->here, 0);
	assert_return_code(connect(scene->here, (struct sockaddr *)&address, sizeof(address)), 0);
	scene->there = accept4(scene->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_return_code(scene->there, 0);
	scene->port = port_of(scene->here);
}

static void end_scene(struct scene *scene)
{
	byte_budget_clear(&scene->budget);
	(void)close(scene->here);
	(void)close(scene->there);
	(void)close(scene->listener);
}

/* Sends and receives that much, so that it has been brought. */
static void bring(struct scene *scene, uint64_t bytes)
{
	static char piece[PIECE];

	for (uint64_t left = bytes; left > 0;) {
		size_t length = left < PIECE ? (size_t)left : PIECE;

		assert_int_equal(send(scene->there, piece, length, MSG_NOSIGNAL), (ssize_t)length);
		assert_int_equal(recv(scene->here, piece, length, MSG_WAITALL), (ssize_t)length);
		left -= length;
	}
}

static void what_is_within_the_budget_goes_on(void **state)
{
	struct scene scene;

	(void)state;
	connect_both(&scene);
	bring(&scene, BYTE_BUDGET_MAX);
	byte_budget_enforce(&scene.budget, over_budget, &scene);
	assert_int_equal(scene.told, 0);
	assert_int_equal(send(scene.there, "x", 1, MSG_NOSIGNAL), 1);
	end_scene(&scene);
}

static void one_byte_more_ends_the_connection_and_names_its_port(void **state)
{
	struct scene scene;
	char byte;

	(void)state;
	connect_both(&scene);
	bring(&scene, BYTE_BUDGET_MAX + 1);
	byte_budget_enforce(&scene.budget, over_budget, &scene);
	assert_int_equal(scene.told, 1);
	assert_int_equal(scene.told_port, scene.port);
	assert_int_equal(recv(scene.here, &byte, 1, 0), 0);
	end_scene(&scene);
}

static void a_descriptor_that_is_closed_or_another_is_forgotten(void **state)
{
	struct scene scene;
	int again;

	(void)state;
	connect_both(&scene);
	assert_return_code(close(scene.here), 0);
	byte_budget_enforce(&scene.budget, over_budget, &scene);
	assert_null(scene.budget.connections);
	again = byte_budget_socket(&scene.budget, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(again, scene.here);
	assert_return_code(close(again), 0);
	again = byte_budget_socket(&scene.budget, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(again, scene.here);
	byte_budget_clear(&scene.budget);
	assert_null(scene.budget.connections);
	end_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_within_the_budget_goes_on),
		cmocka_unit_test(one_byte_more_ends_the_connection_and_names_its_port),
		cmocka_unit_test(a_descriptor_that_is_closed_or_another_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
