"""A PAM application in this process (libpam through ctypes), for what needs to know to the microsecond when something is said."""

import ctypes
import ctypes.util
import time

SUCCESS, CONV_ERR = 0, 19
PROMPT_ECHO_OFF, PROMPT_ECHO_ON, ERROR_MSG, TEXT_INFO = 1, 2, 3, 4


class Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Response(ctypes.Structure):
    _fields_ = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]


CONVERSATION = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.POINTER(Message)), ctypes.POINTER(ctypes.POINTER(Response)), ctypes.c_void_p
)


class Conversation(ctypes.Structure):
    _fields_ = [("function", CONVERSATION), ("data", ctypes.c_void_p)]


libpam = ctypes.CDLL("libpam.so.0")
libc = ctypes.CDLL(None)
libc.calloc.restype = ctypes.c_void_p
libpam.pam_start.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Conversation), ctypes.POINTER(ctypes.c_void_p)]
libpam.pam_authenticate.argtypes = [ctypes.c_void_p, ctypes.c_int]
libpam.pam_end.argtypes = [ctypes.c_void_p, ctypes.c_int]


class SignIn:
    """One pam_authenticate(3). `said` gets (seconds since the start, style, text) for each message; on_message may end it by
    returning False."""

    def __init__(self, service, user, on_message):
        self.said = []
        self.on_message = on_message
        conversation = Conversation(CONVERSATION(self._converse), None)
        handle = ctypes.c_void_p()
        self.began = time.perf_counter()
        result = libpam.pam_start(service.encode(), user.encode(), ctypes.byref(conversation), ctypes.byref(handle))
        if result == SUCCESS:
            result = libpam.pam_authenticate(handle, 0)
            self.took = time.perf_counter() - self.began
            libpam.pam_end(handle, result)
        self.result = result

    def _converse(self, count, messages, responses, _):
        now = time.perf_counter() - self.began
        go_on = True
        for number in range(count):
            message = messages[number].contents
            text = message.text.decode(errors="replace")
            self.said.append((now, message.style, text))
            go_on = self.on_message(message.style, text) is not False and go_on
        if not go_on:
            return CONV_ERR
        responses[0] = ctypes.cast(libc.calloc(count, ctypes.sizeof(Response)), ctypes.POINTER(Response))
        return SUCCESS
