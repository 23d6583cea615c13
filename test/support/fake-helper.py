"""A helper without a network: depth is a hundredth of red. The first byte of a picture may be an order.

Arguments: what it does wrong while it loads.
"""
import array
import os
import signal
import socket
import struct
import sys
import time

HEADER = '<4sBBxxII'
OPEN, READY, PICTURE, DEPTH, FAILED, REFUSED, PROGRESS = range(1, 8)
wrong = sys.argv[1] if len(sys.argv) > 1 else ''

stream = socket.socket(fileno=int(os.environ['DEPTHLINE_ENGINE_FD'])).makefile('rwb')


def receive():
    header = stream.read(16)
    if len(header) < 16:
        sys.exit(0)
    _, _, kind, number, length = struct.unpack(HEADER, header)
    return kind, number, stream.read(length)


def pack(kind, number, payload):
    return struct.pack(HEADER, b'DPTH', 1, kind, number, len(payload)) + payload


def send(data):
    stream.write(data)
    stream.flush()


def hang():
    while True:
        time.sleep(60)


def say(text):
    print(text, file=sys.stderr, flush=True)


_, _, text = receive()
asked = dict(line.split(' ', 1) for line in text.decode().splitlines())
width, height = int(asked['input.width']), int(asked['input.height'])
if wrong == 'hangs':
    hang()
if wrong == 'crashes':
    say('no such device: /dev/npu0')
    sys.exit(4)
if wrong == 'refuses':
    send(pack(REFUSED, 0, 'the operator Resize is not supported'.encode()))
    sys.exit(1)
if wrong == 'progress':
    for step in range(8):
        send(pack(PROGRESS, 0, f'step {step}'.encode()))
        time.sleep(0.3)
if wrong == 'garbage':
    send(b'Loading the model...')
    hang()
if wrong == 'other-version':
    send(struct.pack(HEADER, b'DPTH', 9, READY, 0, 0))
    hang()
model = 'another' if wrong == 'other-model' else asked['model']
if wrong == 'other-size':
    width += 1
answer = f"""protocol 1
engine fake, {len(sys.argv)} arguments
model {model}
input.width {width}
input.height {height}
output.width {width}
output.height {height}
later {time.time()}
"""
if wrong == 'no-size':
    answer = answer.replace('output.width', 'width')
if wrong == 'later-answer':
    answer = f'protocol 2\nwidth {width}\n'
send(pack(READY, 0, answer.encode()))
if wrong == 'forks' and os.fork() == 0:
    # Its child keeps the socket and the output open.
    hang()
if wrong == 'deaf':
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

scale = 200 if wrong == 'too-near' else 100
while True:
    _, number, picture = receive()
    depth = array.array('f', (red / scale for red in picture[::3])).tobytes()
    whole = pack(DEPTH, number, depth)
    order = picture[0]
    if wrong == 'slow':
        time.sleep(0.2)
    if order == 240:
        say('out of memory')
        sys.exit(3)
    if order == 241:
        os.kill(os.getpid(), signal.SIGSEGV)
    if order == 242:
        hang()
    if order == 243:
        send(pack(DEPTH, number, depth + depth))
    elif order == 244:
        send(os.urandom(64))
    elif order == 245:
        send(whole[:40])
        sys.exit(0)
    elif order == 246:
        send(pack(DEPTH, number + 1, depth))
    elif order == 247:
        send(whole + whole)
    elif order == 248:
        send(pack(FAILED, number, 'it is too dark'.encode()))
    elif order == 249:
        send(pack(PROGRESS, number, b''))
    elif order == 250:
        send(whole[:40])
        hang()
    elif order == 251:
        send(pack(DEPTH, number, depth[4:]))
    elif order == 252:
        # In pieces, the header too.
        for at in range(0, len(whole), 7):
            send(whole[at:at + 7])
            time.sleep(0.001)
    else:
        send(whole)
    if wrong == 'deaf' and order == 1:
        hang()
