// Has nothing to call: a program that depends on this module has its `open`, for itself and for its libraries.
#ifndef CDISPATCHOPEN_H
#define CDISPATCHOPEN_H

#endif
