// SPDX-License-Identifier: Apache-2.0
//
// A command or hook that does nothing.

int main() { return 0; }
