/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_ARCH_H
#define _X86_VIRT_TDX_ARCH_H

/*
 * What the TDX architecture defines: MSRs, leaves, status codes, metadata
 * fields and structures in memory. Nothing of Linux is in this file.
 */

#include <linux/bits.h>
#include <linux/types.h>

/* Platform MSRs */
#define MSR_IA32_MKTME_KEYID_PARTITIONING	0x00000087
#define MSR_IA32_MTRRCAP			0x000000fe
#define MSR_IA32_SEAMRR_PHYS_BASE		0x00001400
#define MSR_IA32_SEAMRR_PHYS_MASK		0x00001401

#define MTRRCAP_SEAMRR				BIT_ULL(15)
#define SEAMRR_BASE_CONFIGURED			BIT_ULL(3)
#define SEAMRR_MASK_LOCKED			BIT_ULL(10)
#define SEAMRR_MASK_ENABLED			BIT_ULL(11)
/* Address bits of both: SEAMRR is a multiple of 32 MiB. */
#define SEAMRR_ADDR				GENMASK_ULL(51, 25)

/* IA32_MKTME_KEYID_PARTITIONING: the KeyIDs of TDX follow those of MKTME. */
#define KEYIDS_MKTME				GENMASK_ULL(31, 0)
#define KEYIDS_TDX				GENMASK_ULL(63, 32)

/* RAX of SEAMCALL. Bit 63 set: for P-SEAMLDR, clear: for the TDX module. */
#define SEAMLDR_INFO				0x8000000000000000ULL

/* P-SEAMLDR has statuses of its own: all 64 bits. */
#define SEAMLDR_RND_NO_ENTROPY			0x8000000000030001ULL

#define TDH_PHYMEM_PAGE_RDMD			24
#define TDH_SYS_KEY_CONFIG			31
#define TDH_SYS_INFO				32
#define TDH_SYS_INIT				33
#define TDH_SYS_RD				34
#define TDH_SYS_LP_INIT				35
#define TDH_SYS_TDMR_INIT			36
#define TDH_SYS_LP_SHUTDOWN			44
#define TDH_SYS_CONFIG				45

/*
 * Status in RAX after SEAMCALL. Bit 63: error, 62: not recoverable, 61: fatal.
 * [47:32] are class and code, [31:0] details: operand, index, MSR, CPUID leaf.
 */
#define TDX_STATUS_FAILED			GENMASK_ULL(63, 61)
#define TDX_STATUS_CODE				GENMASK_ULL(63, 32)

#define TDX_OPERAND_INVALID			0xC000010000000000ULL
#define TDX_OPERAND_ADDR_RANGE_ERROR		0xC000010100000000ULL
#define TDX_OPERAND_BUSY			0x8000020000000000ULL
#define TDX_SYS_BUSY				0x8000020200000000ULL
#define TDX_RND_NO_ENTROPY			0x8000020300000000ULL
#define TDX_SYS_INIT_NOT_PENDING		0xC000050000000000ULL
#define TDX_SYS_LP_INIT_DONE			0xC000050300000000ULL
#define TDX_SYS_NOT_READY			0xC000050500000000ULL
#define TDX_SYS_CONFIG_NOT_PENDING		0xC000050C00000000ULL
#define TDX_KEY_GENERATION_FAILED		0x8000080000000000ULL
#define TDX_TDMR_ALREADY_INITIALIZED		0x00000A0300000000ULL

/* TDH.SYS.RD field ids: [61:56] class, [33:32] log2 of bytes, [23:0] code. */
#define TDX_FIELD_BYTES(id)			(1U << (((id) >> 32) & 3))

#define TDX_FIELD_BUILD_DATE			0x8800000200000001ULL
#define TDX_FIELD_BUILD_NUM			0x8800000100000002ULL
#define TDX_FIELD_MINOR_VERSION			0x0800000100000003ULL
#define TDX_FIELD_MAJOR_VERSION			0x0800000100000004ULL
#define TDX_FIELD_UPDATE_VERSION		0x0800000100000005ULL
#define TDX_FIELD_SYS_ATTRIBUTES		0x0A00000200000000ULL
#define TDX_FIELD_FEATURES0			0x0A00000300000008ULL
#define TDX_FIELD_NUM_CMRS			0x9000000100000000ULL
#define TDX_FIELD_CMR_BASE(i)			(0x9000000300000080ULL + (i))
#define TDX_FIELD_CMR_SIZE(i)			(0x9000000300000100ULL + (i))
#define TDX_FIELD_MAX_TDMRS			0x9100000100000008ULL
#define TDX_FIELD_MAX_RESERVED_PER_TDMR		0x9100000100000009ULL
#define TDX_FIELD_PAMT_4K_ENTRY_SIZE		0x9100000100000010ULL
#define TDX_FIELD_PAMT_2M_ENTRY_SIZE		0x9100000100000011ULL
#define TDX_FIELD_PAMT_1G_ENTRY_SIZE		0x9100000100000012ULL

#define TDX_ATTRIBUTES_DEBUG			BIT(31)
/* TDX_FEATURES0: guests cannot make the module change the host's RBP. */
#define TDX_FEATURES0_NO_RBP_MOD		BIT_ULL(18)

/* SEAMLDR.INFO writes this; 256-byte aligned. */
struct seamldr_info {
	u32	version;
	u32	attributes;
	u32	vendor_id;
	u32	build_date;	/* BCD: 0x20220117 */
	u16	build_num;
	u16	minor;
	u16	major;
	u16	update;
	u32	acm_x2apic_id;
	u32	remaining_updates;
	struct {
		u64	valid;
		u8	tee_tcb_svn[16];
		u8	mrseam[48];
		u8	mrsigner[48];
		u64	attributes;
		u8	seam_ready;	/* a TDX module is loaded */
		u8	under_debug;
		u8	p_seamldr_ready;
		u8	reserved[5];
	} __packed seamextend;
	u64	features0;
	u8	reserved[80];
} __packed __aligned(256);

/* A convertible memory range: memory that firmware has checked for TDX. */
struct cmr_info {
	u64	base;
	u64	size;		/* 0: unused entry */
} __packed;

#define TDX_MAX_CMRS				32

/* TDH.SYS.INFO writes this, 1024-byte aligned, and the CMRs, 512-byte aligned. */
struct tdsysinfo {
	u32	attributes;
	u32	vendor_id;
	u32	build_date;
	u16	build_num;
	u16	minor;
	u16	major;
	u8	sys_rd;		/* TDH.SYS.RD is there: module 1.5 or later */
	u8	reserved0[13];
	u16	max_tdmrs;
	u16	max_reserved_per_tdmr;
	u16	pamt_entry_size;
	u8	reserved1[10];
	u8	td_info[80];	/* sizes, ATTRIBUTES, XFAM */
	u8	cpuid_config[896];
} __packed __aligned(1024);

/* TDH.SYS.CONFIG reads this; 512-byte aligned. */
struct tdmr_info {
	u64	base;
	u64	size;
	u64	pamt_1g_base;	/* PAMTs: multiples of 4 KiB, in a CMR */
	u64	pamt_1g_size;
	u64	pamt_2m_base;
	u64	pamt_2m_size;	/* one entry for each 2 MiB */
	u64	pamt_4k_base;
	u64	pamt_4k_size;
	struct {
		u64	offset;	/* from base */
		u64	size;
	} reserved[];
} __packed;

#define TDX_MAX_TDMRS				64
#define TDMR_INFO_ALIGN				512
#define TDMR_PTRS_ALIGN				512

/* Types of pages that TDH.PHYMEM.PAGE.RDMD tells; the others are TDs'. */
#define TDX_PAGE_NOT_ASSIGNED			0
#define TDX_PAGE_RESERVED			1

#define TDX_PAGE_4K				BIT_ULL(12)
#define TDX_PAGE_1G				BIT_ULL(30)

#endif /* _X86_VIRT_TDX_ARCH_H */
