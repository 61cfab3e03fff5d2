/* SPDX-License-Identifier: GPL-2.0-only */
/* Words that user space changes while a program reads them.
 *
 * A program reads such a word once: the compiler may read a plain one again wherever it is used,
 * and find a new value beside conclusions from the old one. A word that is read once is followed
 * only by loads whose addresses are made of it (a slot, an id, the number of a generation), which
 * CPUs keep in this order, arm64 too: BPF has no other order for loads before 6.15. So whatever
 * must fit together is in one word, or behind the one word that leads to it. */
#ifndef XF_ONCE_BPF_H
#define XF_ONCE_BPF_H

#define XF_READ_ONCE(word) (*(const volatile __typeof__(word) *)&(word))

#endif
