# SPDX-License-Identifier: MIT
# Debian packages: cpack -G DEB in the build folder. package.sh makes ebpf-telemetry of the portable programs, and the
# library's two packages of a build with shared libraries.
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

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
if(EBT_STATIC)
  set(CPACK_COMPONENTS_ALL programs)
else()
  set(CPACK_COMPONENTS_ALL library development)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE OFF)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME ebpf-telemetry)
set(CPACK_DEBIAN_PROGRAMS_DESCRIPTION "host telemetry by eBPF: which process did what
ebpf_telemetry reports the system calls that a rules file selects, and the
starts, executions and ends of processes, as text or JSON, on Linux 4.14 and
later. imds-tracker reports who asks a cloud's instance metadata service for
what. get_offsets finds the offsets of kernel fields that both of them need.

The programs are linked statically and need no other package.")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/packaging/deb/postinst ${CMAKE_SOURCE_DIR}/packaging/deb/prerm
    ${CMAKE_SOURCE_DIR}/packaging/deb/postrm ${CMAKE_SOURCE_DIR}/packaging/deb/conffiles)

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libebpf-loader1)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/deb/shlibs
    ${CMAKE_SOURCE_DIR}/packaging/deb/triggers)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "library to load the eBPF programs of ebpf_telemetry
libebpf_loader chooses the eBPF programs that the running kernel accepts,
relocates them against its structures, loads and attaches them, and reads
their records.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libebpf-loader-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libebpf-loader1 (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "library to load the eBPF programs of ebpf_telemetry, headers
Headers, an example and what pkg-config needs, to build programs that use
libebpf_loader.")

set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/packaging/deb/finish.cmake)
set(CPACK_EBT_DEB_FOLDER ${CMAKE_SOURCE_DIR}/packaging/deb)
include(CPack)
