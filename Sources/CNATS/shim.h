#ifndef OGW_CNATS_H
#define OGW_CNATS_H
#include <nats/nats.h>
#endif
