# SPDX-License-Identifier: MIT
# Packages: cpack -G DEB or -G RPM in the build folder. package.sh makes ebpf-telemetry and its debug information of the
# portable programs, and the library's two packages of a build with shared libraries.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ebpf-telemetry)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(maintainer_address $ENV{DEBEMAIL})
set(maintainer_name $ENV{DEBFULLNAME})
if(NOT maintainer_address)
  set(maintainer_address maintainers@localhost)
endif()
if(NOT maintainer_name)
  set(maintainer_name "ebpf_telemetry maintainers")
endif()
set(CPACK_PACKAGE_CONTACT "${maintainer_name} <${maintainer_address}>")

set(CPACK_COMPONENTS_GROUPING IGNORE)
if(EBT_STATIC)
  set(CPACK_COMPONENTS_ALL programs debug)
else()
  set(CPACK_COMPONENTS_ALL library development)
endif()

set(programs_summary "host telemetry by eBPF: which process did what")
set(programs_description "ebpf_telemetry reports the system calls that a rules file selects, and the
starts, executions and ends of processes, as text or JSON, on Linux 4.14 and
later. imds-tracker reports who asks a cloud's instance metadata service for
what. get_offsets finds the offsets of kernel fields that both of them need.

The programs are linked statically and need no other package.")
set(debug_summary "debug symbols for ebpf-telemetry")
set(debug_description "Debug information of the programs in ebpf-telemetry, where gdb looks for it.")
set(library_summary "library to load the eBPF programs of ebpf_telemetry")
set(library_description "libebpf_loader chooses the eBPF programs that the running kernel accepts,
relocates them against its structures, loads and attaches them, and reads
their records.")
set(development_summary "library to load the eBPF programs of ebpf_telemetry, headers")
set(development_description "Headers, an example and what pkg-config needs, to build programs that use
libebpf_loader.")

set(CPACK_EBT_FOLDER ${CMAKE_SOURCE_DIR}/packaging)
set(CPACK_PRE_BUILD_SCRIPTS ${CPACK_EBT_FOLDER}/finish.cmake)
if(CMAKE_CROSSCOMPILING)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
  set(CPACK_RPM_PACKAGE_ARCHITECTURE aarch64)
endif()
include(${CPACK_EBT_FOLDER}/deb/cpack.cmake)
include(${CPACK_EBT_FOLDER}/rpm/cpack.cmake)
include(CPack)
